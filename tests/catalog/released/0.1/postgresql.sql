CREATE TABLE alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE alias_moves (
    seq bigint NOT NULL,
    name text NOT NULL,
    alias text NOT NULL,
    old_version bigint,
    new_version bigint,
    user_name text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE alias_moves_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE alias_moves_seq_seq OWNED BY alias_moves.seq;
CREATE TABLE artifacts (
    run_id text NOT NULL,
    task text NOT NULL,
    name text NOT NULL,
    reference text NOT NULL,
    digest text NOT NULL,
    format text NOT NULL,
    size_bytes bigint NOT NULL,
    summary text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE attempts (
    run_id text NOT NULL,
    task text NOT NULL,
    attempt bigint NOT NULL,
    state text NOT NULL,
    worker text NOT NULL,
    reason text NOT NULL,
    error text NOT NULL,
    notebook text NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    duration_seconds double precision NOT NULL,
    peak_memory_bytes bigint NOT NULL,
    cpu_seconds double precision,
    cpus double precision,
    gpu_utilization double precision
);
CREATE TABLE cache_entries (
    cache_key text NOT NULL,
    pipeline text NOT NULL,
    task text NOT NULL,
    run_id text NOT NULL,
    components text NOT NULL,
    results text NOT NULL,
    artifacts text NOT NULL,
    notebook text NOT NULL,
    is_frozen boolean NOT NULL,
    duration_seconds double precision NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE compute_measurements (
    unit text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    measured_at timestamp with time zone NOT NULL
);
CREATE TABLE deployment_revisions (
    name text NOT NULL,
    revision bigint NOT NULL,
    traffic text NOT NULL,
    shadow text NOT NULL,
    image text NOT NULL,
    reason text NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE deployments (
    name text NOT NULL,
    target text NOT NULL,
    model text NOT NULL,
    state text NOT NULL,
    message text NOT NULL,
    url text NOT NULL,
    revision bigint NOT NULL,
    options text NOT NULL,
    alias text NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE feature_definitions (
    kind text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    folded text NOT NULL,
    definition text NOT NULL,
    blobs text NOT NULL,
    description text NOT NULL,
    owner text NOT NULL,
    tags text NOT NULL,
    run_id text NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    registered_at timestamp with time zone NOT NULL
);
CREATE TABLE feature_parts (
    seq bigint NOT NULL,
    part_id text NOT NULL,
    view text NOT NULL,
    version text NOT NULL,
    path text NOT NULL,
    materialization_id text NOT NULL,
    rows bigint NOT NULL,
    size_bytes bigint NOT NULL,
    least_at timestamp with time zone NOT NULL,
    greatest_at timestamp with time zone NOT NULL,
    online_rows bigint NOT NULL,
    is_online boolean NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE feature_parts_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE feature_parts_seq_seq OWNED BY feature_parts.seq;
CREATE TABLE fires (
    schedule text NOT NULL,
    fire_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    run_id text NOT NULL,
    count bigint NOT NULL,
    first_at timestamp with time zone,
    drives bigint NOT NULL,
    driven_at timestamp with time zone,
    is_backfill boolean NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE images (
    digest text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    source_digest text NOT NULL,
    is_pushed boolean NOT NULL,
    is_signed boolean NOT NULL,
    platforms text NOT NULL,
    size_bytes bigint NOT NULL,
    builder text NOT NULL,
    run_id text NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE leases (
    name text NOT NULL,
    holder text NOT NULL,
    token bigint NOT NULL,
    until_at timestamp with time zone NOT NULL,
    renewed_at timestamp with time zone NOT NULL
);
CREATE TABLE lineage_links (
    source_kind text NOT NULL,
    source text NOT NULL,
    target_kind text NOT NULL,
    target text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE materializations (
    materialization_id text NOT NULL,
    view text NOT NULL,
    version text NOT NULL,
    state text NOT NULL,
    start_at timestamp with time zone,
    end_at timestamp with time zone NOT NULL,
    rows bigint NOT NULL,
    online_rows bigint NOT NULL,
    profile text NOT NULL,
    problems text NOT NULL,
    message text NOT NULL,
    run_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
);
CREATE TABLE model_aliases (
    name text NOT NULL,
    alias text NOT NULL,
    version bigint NOT NULL,
    is_protected boolean NOT NULL,
    user_name text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE model_versions (
    name text NOT NULL,
    version bigint NOT NULL,
    manifest text NOT NULL,
    estimator text NOT NULL,
    format text NOT NULL,
    description text NOT NULL,
    metrics text NOT NULL,
    tags text NOT NULL,
    blobs text NOT NULL,
    size_bytes bigint NOT NULL,
    "check" text NOT NULL,
    origin text NOT NULL,
    run_id text NOT NULL,
    task text NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE queue_entries (
    run_id text NOT NULL,
    pipeline text NOT NULL,
    user_name text NOT NULL,
    group_name text NOT NULL,
    queue text NOT NULL,
    state text NOT NULL,
    priority bigint NOT NULL,
    is_preemptible boolean NOT NULL,
    "least" text NOT NULL,
    most text NOT NULL,
    granted text NOT NULL,
    seconds double precision,
    since_at timestamp with time zone NOT NULL,
    admitted_at timestamp with time zone,
    is_leaving boolean NOT NULL,
    preemptions bigint NOT NULL,
    "position" bigint NOT NULL,
    reason text NOT NULL,
    starts_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE queue_usage (
    day text NOT NULL,
    user_name text NOT NULL,
    group_name text NOT NULL,
    queue text NOT NULL,
    spans bigint NOT NULL,
    run_seconds double precision NOT NULL,
    task_seconds double precision NOT NULL,
    cpu_seconds double precision NOT NULL,
    memory_seconds double precision NOT NULL,
    gpu_seconds double precision NOT NULL,
    cost double precision NOT NULL
);
CREATE TABLE quotas (
    scope text NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    user_name text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE registered_models (
    name text NOT NULL,
    folded text NOT NULL,
    description text NOT NULL,
    tags text NOT NULL,
    last_version bigint NOT NULL,
    is_deleted boolean NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE run_events (
    seq bigint NOT NULL,
    run_id text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    body text NOT NULL
);
CREATE SEQUENCE run_events_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE run_events_seq_seq OWNED BY run_events.seq;
CREATE TABLE runs (
    run_id text NOT NULL,
    pipeline text NOT NULL,
    pipeline_path text NOT NULL,
    plan text NOT NULL,
    arguments text NOT NULL,
    options text NOT NULL,
    state text NOT NULL,
    message text NOT NULL,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    rerun_of text,
    runner text NOT NULL,
    heartbeat_at timestamp with time zone,
    is_cancel_requested boolean NOT NULL
);
CREATE TABLE schedules (
    name text NOT NULL,
    pipeline text NOT NULL,
    pipeline_path text NOT NULL,
    cron text NOT NULL,
    timezone text NOT NULL,
    spec text NOT NULL,
    is_paused boolean NOT NULL,
    paused_at timestamp with time zone,
    next_at timestamp with time zone,
    due_at timestamp with time zone,
    user_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE task_runs (
    run_id text NOT NULL,
    task text NOT NULL,
    name text NOT NULL,
    "position" bigint NOT NULL,
    state text NOT NULL,
    attempt bigint NOT NULL,
    reason text NOT NULL,
    cache_key text NOT NULL,
    source_run_id text NOT NULL,
    arguments text NOT NULL,
    results text NOT NULL,
    artifacts text NOT NULL,
    notebook text NOT NULL,
    error text NOT NULL,
    worker text NOT NULL,
    cell bigint NOT NULL,
    cells bigint NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    duration_seconds double precision NOT NULL,
    peak_memory_bytes bigint NOT NULL,
    cpu_seconds double precision,
    cpus double precision,
    gpu_utilization double precision
);
ALTER TABLE ONLY alias_moves ALTER COLUMN seq SET DEFAULT nextval('alias_moves_seq_seq'::regclass);
ALTER TABLE ONLY feature_parts ALTER COLUMN seq SET DEFAULT nextval('feature_parts_seq_seq'::regclass);
ALTER TABLE ONLY run_events ALTER COLUMN seq SET DEFAULT nextval('run_events_seq_seq'::regclass);
INSERT INTO alembic_version VALUES ('0008');
INSERT INTO alias_moves VALUES (1, 'delay', 'champion', NULL, 1, 'ada', '2026-11-27 01:08:47.282885+00');
INSERT INTO alias_moves VALUES (2, 'delay', 'champion', 1, 2, 'ada', '2026-11-27 01:08:47.286426+00');
INSERT INTO artifacts VALUES ('20261127-010843-e0ee78', 'pull', 'rows', 'blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet', '255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df', 'parquet', 1670, '{"rows":20,"columns":1,"column_names":["x"]}', '2026-11-27 01:08:45.801565+00');
INSERT INTO artifacts VALUES ('20261127-010846-c45f4c', 'pull', 'rows', 'blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet', 'e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28', 'parquet', 1675, '{"rows":22,"columns":1,"column_names":["x"]}', '2026-11-27 01:08:46.417328+00');
INSERT INTO attempts VALUES ('20261127-010843-e0ee78', 'pull', 1, 'succeeded', 'host:22295', '', '{}', '23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c', '2026-11-27 01:08:44.775201+00', '2026-11-27 01:08:45.801565+00', 1.001454247001675, 31051776, 0.03, 2, NULL);
INSERT INTO attempts VALUES ('20261127-010843-e0ee78', 'train[model=mean]', 1, 'succeeded', 'host:22295', '', '{}', 'f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158', '2026-11-27 01:08:45.822734+00', '2026-11-27 01:08:46.043699+00', 0.21623677299794508, 41521152, 0.049999999999999996, 2, NULL);
INSERT INTO attempts VALUES ('20261127-010843-e0ee78', 'train[model=median]', 1, 'succeeded', 'host:22295', '', '{}', 'bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce', '2026-11-27 01:08:45.825622+00', '2026-11-27 01:08:46.139098+00', 0.3033727500005625, 41897984, 0.04, 2, NULL);
INSERT INTO attempts VALUES ('20261127-010846-c45f4c', 'fail', 1, 'failed', 'host:22295', '', '{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}', '9ac0d1e664423118d4d3adb47acb70b29ee262fe47d1eb8ead7d4b16d2c3cf95', '2026-11-27 01:08:46.663943+00', '2026-11-27 01:08:46.968365+00', 0.28548430200316943, 12570624, 0.06999999999999999, 2, NULL);
INSERT INTO attempts VALUES ('20261127-010846-c45f4c', 'pull', 1, 'succeeded', 'host:22295', '', '{}', 'ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11', '2026-11-27 01:08:46.306035+00', '2026-11-27 01:08:46.417328+00', 0.10407886799657717, 28782592, 0.03, 2, NULL);
INSERT INTO attempts VALUES ('20261127-010846-c45f4c', 'train[model=mean]', 1, 'succeeded', 'host:22295', '', '{}', 'fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1', '2026-11-27 01:08:46.45434+00', '2026-11-27 01:08:46.608567+00', 0.14233079599944176, 33722368, 0.04, 2, NULL);
INSERT INTO attempts VALUES ('20261127-010846-c45f4c', 'train[model=median]', 1, 'succeeded', 'host:22295', '', '{}', '8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8', '2026-11-27 01:08:46.46805+00', '2026-11-27 01:08:46.643344+00', 0.1642539550011861, 34373632, 0.04, 2, NULL);
INSERT INTO cache_entries VALUES ('sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b', 'weekly', 'train[model=median]', '20261127-010843-e0ee78', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":9.5}', '{}', 'bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce', false, 0.3033727500005625, '2026-11-27 01:08:46.139098+00');
INSERT INTO cache_entries VALUES ('sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6', 'weekly', 'train[model=mean]', '20261127-010846-c45f4c', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":10.5}', '{}', 'fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1', false, 0.14233079599944176, '2026-11-27 01:08:46.608567+00');
INSERT INTO cache_entries VALUES ('sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f', 'weekly', 'train[model=mean]', '20261127-010843-e0ee78', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":9.5}', '{}', 'f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158', false, 0.21623677299794508, '2026-11-27 01:08:46.043699+00');
INSERT INTO cache_entries VALUES ('sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe', 'weekly', 'train[model=median]', '20261127-010846-c45f4c', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":10.5}', '{}', '8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8', false, 0.1642539550011861, '2026-11-27 01:08:46.643344+00');
INSERT INTO cache_entries VALUES ('sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9', 'weekly', 'pull', '20261127-010843-e0ee78', '{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"20"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}', '{"count":20}', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}', '23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c', false, 1.001454247001675, '2026-11-27 01:08:45.801565+00');
INSERT INTO cache_entries VALUES ('sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5', 'weekly', 'pull', '20261127-010846-c45f4c', '{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"22"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}', '{"count":22}', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}', 'ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11', false, 0.10407886799657717, '2026-11-27 01:08:46.417328+00');
INSERT INTO compute_measurements VALUES ('host/cpu', 'CPU', 'a processor', '{"float64":100000000000.0}', '2026-03-01 12:00:00+00');
INSERT INTO deployment_revisions VALUES ('delay', 1, '{"1":0.9,"2":0.1}', '{}', '', 'deploy', '', '2026-03-01 12:00:00+00');
INSERT INTO deployments VALUES ('delay', 'kubernetes', 'delay', 'running', '', 'https://delay.example.com', 1, '{"namespace":"models"}', 'champion', '', '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00');
INSERT INTO feature_definitions VALUES ('entity', 'user', '', 'user', '{"name":"user","join_keys":{"user":"int64"},"description":"","owner":"","tags":{}}', '[]', '', '', '{}', '', 'ada', '2026-11-27 01:08:47.580038+00', '2026-11-27 01:08:47.580038+00');
INSERT INTO feature_definitions VALUES ('service', 'model', 'e2f2a478060880cd', 'model', '{"name":"model","features":["spent@4032c34fbc3f5af4:amount"],"description":"","owner":"","tags":{},"version":"e2f2a478060880cd"}', '[]', '', '', '{}', '', 'ada', '2026-11-27 01:08:47.807843+00', '2026-11-27 01:08:47.807843+00');
INSERT INTO feature_definitions VALUES ('view', 'spent', '4032c34fbc3f5af4', 'spent', '{"name":"spent","entities":["user"],"sql":"SELECT * FROM ''spent.parquet''","function":null,"database":"","schema":{"amount":"float64"},"event_timestamp":"event_timestamp","created_timestamp":"","time_zone":"","ttl":172800000000,"aggregations":[],"expectations":[],"description":"","owner":"","tags":{},"version":"4032c34fbc3f5af4"}', '[]', '', '', '{}', '', 'ada', '2026-11-27 01:08:47.580038+00', '2026-11-27 01:08:47.580038+00');
INSERT INTO feature_parts VALUES (1, '8e65f282df4f4a6eab20766aff84d1f4', 'spent', '4032c34fbc3f5af4', '4032c34fbc3f5af4/70fd1b1df55348409a91131a561482b2.parquet', '41d7c49272b84ba285a7c3295a16d771', 3, 733, '2026-02-28 06:00:00+00', '2026-03-01 02:00:00+00', 2, true, '2026-11-27 01:08:47.921646+00');
INSERT INTO feature_parts VALUES (2, '9325885ade9b436687a5ccbdf00205c2', 'spent', '4032c34fbc3f5af4', '4032c34fbc3f5af4/b86c8cafcf13482db67bdc7e685fa840.parquet', '', 1, 1491, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00', 0, true, '2026-11-27 01:08:48.164643+00');
INSERT INTO fires VALUES ('weekly.monday', '2026-03-01 12:00:00+00', 'missed', '', '', 2, NULL, 0, NULL, false, '2026-03-01 12:00:00+00');
INSERT INTO images VALUES ('sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'registry.example.com/team/delay:1', 'serving', 'models:/delay/1', '', true, false, '["linux/amd64"]', 0, 'python', '', '', '2026-03-01 12:00:00+00');
INSERT INTO leases VALUES ('scheduler', 'nobody', 7, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00');
INSERT INTO lineage_links VALUES ('data', 'sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a', 'model', 'delay/1', '2026-11-27 01:08:47.214997+00');
INSERT INTO lineage_links VALUES ('data', 'sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a', 'model', 'delay/2', '2026-11-27 01:08:47.270823+00');
INSERT INTO materializations VALUES ('41d7c49272b84ba285a7c3295a16d771', 'spent', '4032c34fbc3f5af4', 'succeeded', NULL, '2026-03-01 12:00:00+00', 3, 2, '{"rows":3,"features":{"amount":{"dtype":"float64","nulls":0,"min":1.5,"max":3.5,"mean":2.5,"std":1.0,"edges":[1.5,2.5],"shares":[0.3333333333333333,0.3333333333333333,0.3333333333333333],"quantiles":[1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5]}}}', '[]', '', '', '2026-11-27 01:08:47.824152+00', '2026-11-27 01:08:48.12729+00');
INSERT INTO model_aliases VALUES ('delay', 'champion', 2, false, 'ada', '2026-11-27 01:08:47.286314+00');
INSERT INTO model_versions VALUES ('delay', 1, '5e96da8308f585db17ea9db27086546ea72debe3b572eaea4d97a4ff57deeede', 'builtins.dict', 'safetensors', '', '{"auc":0.25}', '{"region":"eu"}', '["42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","5e96da8308f585db17ea9db27086546ea72debe3b572eaea4d97a4ff57deeede","75065dcbd539fe6849843cc72e154066cc2d0be93eab5cee916b37fec7f59bfd","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","cdf76ab648e0c1ed11456863dcf1d6c8cd1138745faf4a82edc479e5bb016838"]', 751, 'quick', '', '', '', 'ada', '2026-11-27 01:08:47.201648+00');
INSERT INTO model_versions VALUES ('delay', 2, 'de12d3632d480d0a3befd1a7c86b17ffadcd3755624d43b321ed20180c1404c1', 'builtins.dict', 'safetensors', '', '{"auc":0.5}', '{"region":"eu"}', '["42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","7ac1c4d50c624405f1dc113be8f44f30f5db3717a6d708ae51cd806f41d801c2","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","965d18878cf7a9afac6c14733037468ff3124f953b8f428bb1c1cf30d92b2585","de12d3632d480d0a3befd1a7c86b17ffadcd3755624d43b321ed20180c1404c1"]', 751, 'quick', '', '', '', 'ada', '2026-11-27 01:08:47.267525+00');
INSERT INTO queue_entries VALUES ('waits', 'weekly', 'ada', '', 'default', 'held', 0, false, '[]', '[]', '[]', NULL, '2026-03-01 12:00:00+00', NULL, false, 0, 0, '', NULL, '2026-03-01 12:00:00+00');
INSERT INTO queue_usage VALUES ('2026-03-01', 'ada', '', 'default', 1, 0, 0, 12.5, 0, 0, 0);
INSERT INTO quotas VALUES ('all', '', '{}', 'ada', '2026-11-27 01:08:47.059883+00');
INSERT INTO quotas VALUES ('prices', '', '{}', 'ada', '2026-11-27 01:08:47.059883+00');
INSERT INTO quotas VALUES ('settings', '', '{"operators":[],"aging_minutes":10.0,"half_life_days":7.0,"patience_minutes":60.0}', 'ada', '2026-11-27 01:08:47.059883+00');
INSERT INTO quotas VALUES ('task', '', '{"cpu":1.0}', 'ada', '2026-11-27 01:08:47.059883+00');
INSERT INTO quotas VALUES ('users', 'ada', '{"runs":3,"cpu":4.0}', 'ada', '2026-11-27 01:08:47.059883+00');
INSERT INTO registered_models VALUES ('delay', 'delay', '', '{}', 2, false, 'ada', '2026-11-27 01:08:47.201648+00', '2026-11-27 01:08:47.285227+00');
INSERT INTO run_events VALUES (1, '20261127-010843-e0ee78', 'RunStarted', '2026-11-27 01:08:43.453308+00', '{}');
INSERT INTO run_events VALUES (2, '20261127-010843-e0ee78', 'CacheMissed', '2026-11-27 01:08:43.475858+00', '{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","reason":""}');
INSERT INTO run_events VALUES (3, '20261127-010843-e0ee78', 'AttemptStarted', '2026-11-27 01:08:44.775201+00', '{"task":"pull","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (4, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:44.775201+00', '{"task":"pull","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (5, '20261127-010843-e0ee78', 'AttemptSucceeded', '2026-11-27 01:08:45.801565+00', '{"task":"pull","attempt":1,"results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c","duration_seconds":1.001454247001675,"peak_memory_bytes":31051776,"cpu_seconds":0.03,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (6, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:45.801565+00', '{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (7, '20261127-010843-e0ee78', 'CacheMissed', '2026-11-27 01:08:45.810315+00', '{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","reason":""}');
INSERT INTO run_events VALUES (8, '20261127-010843-e0ee78', 'CacheMissed', '2026-11-27 01:08:45.81128+00', '{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","reason":""}');
INSERT INTO run_events VALUES (9, '20261127-010843-e0ee78', 'AttemptStarted', '2026-11-27 01:08:45.822734+00', '{"task":"train[model=mean]","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (10, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:45.822734+00', '{"task":"train[model=mean]","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (11, '20261127-010843-e0ee78', 'AttemptStarted', '2026-11-27 01:08:45.825622+00', '{"task":"train[model=median]","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (12, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:45.825622+00', '{"task":"train[model=median]","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (13, '20261127-010843-e0ee78', 'AttemptSucceeded', '2026-11-27 01:08:46.043699+00', '{"task":"train[model=mean]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158","duration_seconds":0.21623677299794508,"peak_memory_bytes":41521152,"cpu_seconds":0.049999999999999996,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (14, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:46.043699+00', '{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (15, '20261127-010843-e0ee78', 'AttemptSucceeded', '2026-11-27 01:08:46.139098+00', '{"task":"train[model=median]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce","duration_seconds":0.3033727500005625,"peak_memory_bytes":41897984,"cpu_seconds":0.04,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (16, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:46.139098+00', '{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (17, '20261127-010843-e0ee78', 'TaskStateChanged', '2026-11-27 01:08:46.139098+00', '{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO run_events VALUES (18, '20261127-010843-e0ee78', 'RunFinished', '2026-11-27 01:08:46.139098+00', '{"state":"succeeded","message":""}');
INSERT INTO run_events VALUES (19, '20261127-010846-345697', 'RunStarted', '2026-11-27 01:08:46.175274+00', '{}');
INSERT INTO run_events VALUES (20, '20261127-010846-345697', 'CacheHit', '2026-11-27 01:08:46.17764+00', '{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","source_run_id":"20261127-010843-e0ee78","results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c","reason":""}');
INSERT INTO run_events VALUES (21, '20261127-010846-345697', 'TaskStateChanged', '2026-11-27 01:08:46.17764+00', '{"task":"pull","state":"cached","attempt":0,"reason":""}');
INSERT INTO run_events VALUES (22, '20261127-010846-345697', 'CacheHit', '2026-11-27 01:08:46.184595+00', '{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","source_run_id":"20261127-010843-e0ee78","results":{"value":9.5},"artifacts":{},"notebook":"f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158","reason":""}');
INSERT INTO run_events VALUES (23, '20261127-010846-345697', 'TaskStateChanged', '2026-11-27 01:08:46.184595+00', '{"task":"train[model=mean]","state":"cached","attempt":0,"reason":""}');
INSERT INTO run_events VALUES (24, '20261127-010846-345697', 'CacheHit', '2026-11-27 01:08:46.184635+00', '{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","source_run_id":"20261127-010843-e0ee78","results":{"value":9.5},"artifacts":{},"notebook":"bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce","reason":""}');
INSERT INTO run_events VALUES (25, '20261127-010846-345697', 'TaskStateChanged', '2026-11-27 01:08:46.184635+00', '{"task":"train[model=median]","state":"cached","attempt":0,"reason":""}');
INSERT INTO run_events VALUES (26, '20261127-010846-345697', 'TaskStateChanged', '2026-11-27 01:08:46.184635+00', '{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO run_events VALUES (27, '20261127-010846-345697', 'RunFinished', '2026-11-27 01:08:46.184635+00', '{"state":"succeeded","message":""}');
INSERT INTO run_events VALUES (28, '20261127-010846-c45f4c', 'RunStarted', '2026-11-27 01:08:46.209899+00', '{}');
INSERT INTO run_events VALUES (29, '20261127-010846-c45f4c', 'CacheMissed', '2026-11-27 01:08:46.218014+00', '{"task":"pull","cache_key":"sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5","reason":"argument week: 20 \u2192 22"}');
INSERT INTO run_events VALUES (30, '20261127-010846-c45f4c', 'AttemptStarted', '2026-11-27 01:08:46.306035+00', '{"task":"pull","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (31, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.306035+00', '{"task":"pull","state":"running","attempt":1,"reason":"argument week: 20 \u2192 22"}');
INSERT INTO run_events VALUES (32, '20261127-010846-c45f4c', 'AttemptSucceeded', '2026-11-27 01:08:46.417328+00', '{"task":"pull","attempt":1,"results":{"count":22},"artifacts":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"notebook":"ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11","duration_seconds":0.10407886799657717,"peak_memory_bytes":28782592,"cpu_seconds":0.03,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (33, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.417328+00', '{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (34, '20261127-010846-c45f4c', 'CacheMissed', '2026-11-27 01:08:46.434191+00', '{"task":"train[model=mean]","cache_key":"sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6","reason":"input rows changed"}');
INSERT INTO run_events VALUES (35, '20261127-010846-c45f4c', 'CacheMissed', '2026-11-27 01:08:46.441858+00', '{"task":"train[model=median]","cache_key":"sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe","reason":"input rows changed"}');
INSERT INTO run_events VALUES (36, '20261127-010846-c45f4c', 'AttemptStarted', '2026-11-27 01:08:46.45434+00', '{"task":"train[model=mean]","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (37, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.45434+00', '{"task":"train[model=mean]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO run_events VALUES (38, '20261127-010846-c45f4c', 'AttemptStarted', '2026-11-27 01:08:46.46805+00', '{"task":"train[model=median]","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (39, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.46805+00', '{"task":"train[model=median]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO run_events VALUES (40, '20261127-010846-c45f4c', 'AttemptSucceeded', '2026-11-27 01:08:46.608567+00', '{"task":"train[model=mean]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1","duration_seconds":0.14233079599944176,"peak_memory_bytes":33722368,"cpu_seconds":0.04,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (41, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.608567+00', '{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (42, '20261127-010846-c45f4c', 'AttemptSucceeded', '2026-11-27 01:08:46.643344+00', '{"task":"train[model=median]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8","duration_seconds":0.1642539550011861,"peak_memory_bytes":34373632,"cpu_seconds":0.04,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (43, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.643344+00', '{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (44, '20261127-010846-c45f4c', 'CacheMissed', '2026-11-27 01:08:46.658365+00', '{"task":"fail","cache_key":"sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6","reason":""}');
INSERT INTO run_events VALUES (45, '20261127-010846-c45f4c', 'AttemptStarted', '2026-11-27 01:08:46.663943+00', '{"task":"fail","attempt":1,"worker":"host:22295"}');
INSERT INTO run_events VALUES (46, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.663943+00', '{"task":"fail","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (47, '20261127-010846-c45f4c', 'AttemptFailed', '2026-11-27 01:08:46.968365+00', '{"task":"fail","attempt":1,"error":{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1},"error_class":"ZeroDivisionError","notebook":"9ac0d1e664423118d4d3adb47acb70b29ee262fe47d1eb8ead7d4b16d2c3cf95","duration_seconds":0.28548430200316943,"peak_memory_bytes":12570624,"cpu_seconds":0.06999999999999999,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO run_events VALUES (48, '20261127-010846-c45f4c', 'TaskStateChanged', '2026-11-27 01:08:46.968365+00', '{"task":"fail","state":"failed","attempt":1,"reason":"ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero"}');
INSERT INTO run_events VALUES (49, '20261127-010846-c45f4c', 'RunFinished', '2026-11-27 01:08:46.968365+00', '{"state":"failed","message":"failed: fail"}');
INSERT INTO runs VALUES ('20261127-010843-e0ee78', 'weekly', '/tmp/project/pipeline.yaml', '{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}', '{"week":20}', '{"cluster":"local","workers":2,"isolation":null}', 'succeeded', '', 'root', '2026-11-27 01:08:43.438595+00', '2026-11-27 01:08:43.438595+00', '2026-11-27 01:08:46.139098+00', NULL, '', '2026-11-27 01:08:46.139593+00', false);
INSERT INTO runs VALUES ('20261127-010846-345697', 'weekly', '/tmp/project/pipeline.yaml', '{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}', '{"week":20}', '{"cluster":"local","workers":2,"isolation":null}', 'succeeded', '', 'root', '2026-11-27 01:08:46.173571+00', '2026-11-27 01:08:46.173571+00', '2026-11-27 01:08:46.184635+00', NULL, '', '2026-11-27 01:08:46.184981+00', false);
INSERT INTO runs VALUES ('20261127-010846-c45f4c', 'weekly', '/tmp/project/pipeline.yaml', '{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":22},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}', '{"week":22}', '{"cluster":"local","workers":2,"isolation":null}', 'failed', 'failed: fail', 'root', '2026-11-27 01:08:46.195629+00', '2026-11-27 01:08:46.195629+00', '2026-11-27 01:08:46.968365+00', NULL, '', '2026-11-27 01:08:46.968592+00', false);
INSERT INTO schedules VALUES ('weekly.monday', 'weekly', 'pipeline.yaml', '0 6 * * 1', 'Europe/Zurich', '{"cron":"0 6 * * 1","timezone":"Europe/Zurich","parameters":{},"catch_up":"last","overlap":"skip","jitter_seconds":0.0,"start":"","end":"","is_paused":false,"queue":"","priority":0,"is_preemptible":false}', false, NULL, '2026-11-30 05:00:00+00', '2026-11-30 05:00:00+00', 'root', '2026-11-27 01:08:47.021955+00', '2026-11-27 01:08:47.021955+00');
INSERT INTO task_runs VALUES ('20261127-010843-e0ee78', 'fail', 'fail', 3, 'skipped', 0, 'not when pull.count > 21 (pull.count = 20)', '', '', '{}', '{}', '{}', '', '{}', '', 0, 0, NULL, '2026-11-27 01:08:46.139098+00', 0, 0, NULL, NULL, NULL);
INSERT INTO task_runs VALUES ('20261127-010843-e0ee78', 'pull', 'pull', 0, 'succeeded', 1, '', 'sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9', '', '{"week":20}', '{"count":20}', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}', '23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c', '{}', 'host:22295', 3, 3, '2026-11-27 01:08:44.775201+00', '2026-11-27 01:08:45.801565+00', 1.001454247001675, 31051776, 0.03, 2, NULL);
INSERT INTO task_runs VALUES ('20261127-010843-e0ee78', 'train[model=mean]', 'train', 1, 'succeeded', 1, '', 'sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f', '', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}', '{"value":9.5}', '{}', 'f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158', '{}', 'host:22295', 3, 3, '2026-11-27 01:08:45.822734+00', '2026-11-27 01:08:46.043699+00', 0.21623677299794508, 41521152, 0.049999999999999996, 2, NULL);
INSERT INTO task_runs VALUES ('20261127-010843-e0ee78', 'train[model=median]', 'train', 2, 'succeeded', 1, '', 'sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b', '', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}', '{"value":9.5}', '{}', 'bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce', '{}', 'host:22295', 3, 3, '2026-11-27 01:08:45.825622+00', '2026-11-27 01:08:46.139098+00', 0.3033727500005625, 41897984, 0.04, 2, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-345697', 'fail', 'fail', 3, 'skipped', 0, 'not when pull.count > 21 (pull.count = 20)', '', '', '{}', '{}', '{}', '', '{}', '', 0, 0, NULL, '2026-11-27 01:08:46.184635+00', 0, 0, NULL, NULL, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-345697', 'pull', 'pull', 0, 'cached', 0, '', 'sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9', '20261127-010843-e0ee78', '{"week":20}', '{"count":20}', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}', '23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c', '{}', '', 0, 0, NULL, '2026-11-27 01:08:46.17764+00', 0, 0, NULL, NULL, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-345697', 'train[model=mean]', 'train', 1, 'cached', 0, '', 'sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f', '20261127-010843-e0ee78', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}', '{"value":9.5}', '{}', 'f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158', '{}', '', 0, 0, NULL, '2026-11-27 01:08:46.184595+00', 0, 0, NULL, NULL, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-345697', 'train[model=median]', 'train', 2, 'cached', 0, '', 'sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b', '20261127-010843-e0ee78', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}', '{"value":9.5}', '{}', 'bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce', '{}', '', 0, 0, NULL, '2026-11-27 01:08:46.184635+00', 0, 0, NULL, NULL, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-c45f4c', 'fail', 'fail', 3, 'failed', 1, 'ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero', 'sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6', '', '{}', '{}', '{}', '9ac0d1e664423118d4d3adb47acb70b29ee262fe47d1eb8ead7d4b16d2c3cf95', '{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}', 'host:22295', 1, 1, '2026-11-27 01:08:46.663943+00', '2026-11-27 01:08:46.968365+00', 0.28548430200316943, 12570624, 0.06999999999999999, 2, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-c45f4c', 'pull', 'pull', 0, 'succeeded', 1, '', 'sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5', '', '{"week":22}', '{"count":22}', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}', 'ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11', '{}', 'host:22295', 3, 3, '2026-11-27 01:08:46.306035+00', '2026-11-27 01:08:46.417328+00', 0.10407886799657717, 28782592, 0.03, 2, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-c45f4c', 'train[model=mean]', 'train', 1, 'succeeded', 1, '', 'sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6', '', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"mean"}', '{"value":10.5}', '{}', 'fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1', '{}', 'host:22295', 3, 3, '2026-11-27 01:08:46.45434+00', '2026-11-27 01:08:46.608567+00', 0.14233079599944176, 33722368, 0.04, 2, NULL);
INSERT INTO task_runs VALUES ('20261127-010846-c45f4c', 'train[model=median]', 'train', 2, 'succeeded', 1, '', 'sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe', '', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"median"}', '{"value":10.5}', '{}', '8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8', '{}', 'host:22295', 3, 3, '2026-11-27 01:08:46.46805+00', '2026-11-27 01:08:46.643344+00', 0.1642539550011861, 34373632, 0.04, 2, NULL);
SELECT pg_catalog.setval('alias_moves_seq_seq', 2, true);
SELECT pg_catalog.setval('feature_parts_seq_seq', 2, true);
SELECT pg_catalog.setval('run_events_seq_seq', 49, true);
ALTER TABLE ONLY alembic_version
    ADD CONSTRAINT alembic_version_pkey PRIMARY KEY (version_num);
ALTER TABLE ONLY alias_moves
    ADD CONSTRAINT alias_moves_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY artifacts
    ADD CONSTRAINT artifacts_pkey PRIMARY KEY (run_id, task, name);
ALTER TABLE ONLY attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (run_id, task, attempt);
ALTER TABLE ONLY cache_entries
    ADD CONSTRAINT cache_entries_pkey PRIMARY KEY (cache_key);
ALTER TABLE ONLY compute_measurements
    ADD CONSTRAINT compute_measurements_pkey PRIMARY KEY (unit, measured_at);
ALTER TABLE ONLY deployment_revisions
    ADD CONSTRAINT deployment_revisions_pkey PRIMARY KEY (name, revision);
ALTER TABLE ONLY deployments
    ADD CONSTRAINT deployments_pkey PRIMARY KEY (name);
ALTER TABLE ONLY feature_definitions
    ADD CONSTRAINT feature_definitions_pkey PRIMARY KEY (kind, name, version);
ALTER TABLE ONLY feature_parts
    ADD CONSTRAINT feature_parts_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY fires
    ADD CONSTRAINT fires_pkey PRIMARY KEY (schedule, fire_at);
ALTER TABLE ONLY images
    ADD CONSTRAINT images_pkey PRIMARY KEY (digest, name);
ALTER TABLE ONLY leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY lineage_links
    ADD CONSTRAINT lineage_links_pkey PRIMARY KEY (source_kind, source, target_kind, target);
ALTER TABLE ONLY materializations
    ADD CONSTRAINT materializations_pkey PRIMARY KEY (materialization_id);
ALTER TABLE ONLY model_aliases
    ADD CONSTRAINT model_aliases_pkey PRIMARY KEY (name, alias);
ALTER TABLE ONLY model_versions
    ADD CONSTRAINT model_versions_pkey PRIMARY KEY (name, version);
ALTER TABLE ONLY queue_entries
    ADD CONSTRAINT queue_entries_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY queue_usage
    ADD CONSTRAINT queue_usage_pkey PRIMARY KEY (day, user_name, group_name, queue);
ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (scope, name);
ALTER TABLE ONLY registered_models
    ADD CONSTRAINT registered_models_pkey PRIMARY KEY (name);
ALTER TABLE ONLY run_events
    ADD CONSTRAINT run_events_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (name);
ALTER TABLE ONLY task_runs
    ADD CONSTRAINT task_runs_pkey PRIMARY KEY (run_id, task);
CREATE INDEX ix_alias_moves_name_alias_seq ON alias_moves USING btree (name, alias, seq);
CREATE INDEX ix_artifacts_digest ON artifacts USING btree (digest);
CREATE INDEX ix_artifacts_name_created_at ON artifacts USING btree (name, created_at);
CREATE INDEX ix_cache_entries_pipeline_task_created_at_cache_key ON cache_entries USING btree (pipeline, task, created_at, cache_key);
CREATE INDEX ix_cache_entries_run_id ON cache_entries USING btree (run_id);
CREATE INDEX ix_deployments_model ON deployments USING btree (model);
CREATE INDEX ix_feature_definitions_folded ON feature_definitions USING btree (folded);
CREATE INDEX ix_feature_definitions_name_registered_at ON feature_definitions USING btree (name, registered_at);
CREATE INDEX ix_feature_parts_part_id ON feature_parts USING btree (part_id);
CREATE INDEX ix_feature_parts_view_version_seq ON feature_parts USING btree (view, version, seq);
CREATE INDEX ix_fires_run_id ON fires USING btree (run_id);
CREATE INDEX ix_fires_state_created_at ON fires USING btree (state, created_at);
CREATE INDEX ix_images_source ON images USING btree (source);
CREATE INDEX ix_lineage_links_target_kind_target ON lineage_links USING btree (target_kind, target);
CREATE INDEX ix_materializations_view_version_created_at ON materializations USING btree (view, version, created_at);
CREATE INDEX ix_model_versions_created_at_name_version ON model_versions USING btree (created_at, name, version);
CREATE INDEX ix_model_versions_run_id ON model_versions USING btree (run_id);
CREATE INDEX ix_queue_entries_state_since_at ON queue_entries USING btree (state, since_at);
CREATE INDEX ix_registered_models_folded ON registered_models USING btree (folded);
CREATE INDEX ix_registered_models_updated_at_name ON registered_models USING btree (updated_at, name);
CREATE INDEX ix_run_events_run_id_seq ON run_events USING btree (run_id, seq);
CREATE INDEX ix_runs_created_at_run_id ON runs USING btree (created_at, run_id);
CREATE INDEX ix_runs_created_at_run_id_pipeline_state_user_name ON runs USING btree (created_at, run_id, pipeline, state, user_name);
CREATE INDEX ix_runs_pipeline_created_at_run_id ON runs USING btree (pipeline, created_at, run_id);
CREATE INDEX ix_runs_state_created_at_run_id ON runs USING btree (state, created_at, run_id);
CREATE INDEX ix_schedules_due_at ON schedules USING btree (due_at);
CREATE INDEX ix_task_runs_name_started_at ON task_runs USING btree (name, started_at);
CREATE INDEX ix_task_runs_state_run_id ON task_runs USING btree (state, run_id);
