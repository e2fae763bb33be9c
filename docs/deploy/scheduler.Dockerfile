# Fires the schedules of the workspace in /project: mount it there, or COPY it.
FROM python:3.12-slim
# What the notebooks import belongs here, too.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir "jupyter-mlops[postgres,s3]" && useradd --create-home --uid 1000 mlops
USER 1000
WORKDIR /project
ENTRYPOINT ["jupyter", "mlops"]
CMD ["scheduler"]
