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
    peak_memory_bytes bigint NOT NULL
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
    peak_memory_bytes bigint NOT NULL
);
ALTER TABLE ONLY alias_moves ALTER COLUMN seq SET DEFAULT nextval('alias_moves_seq_seq'::regclass);
ALTER TABLE ONLY feature_parts ALTER COLUMN seq SET DEFAULT nextval('feature_parts_seq_seq'::regclass);
ALTER TABLE ONLY run_events ALTER COLUMN seq SET DEFAULT nextval('run_events_seq_seq'::regclass);
INSERT INTO alembic_version VALUES ('0007');
INSERT INTO alias_moves VALUES (1, 'delay', 'champion', NULL, 1, 'ada', '2026-11-26 21:13:13.954835+00');
INSERT INTO alias_moves VALUES (2, 'delay', 'champion', 1, 2, 'ada', '2026-11-26 21:13:13.956875+00');
INSERT INTO artifacts VALUES ('20261126-211312-92efd8', 'pull', 'rows', 'blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet', '255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df', 'parquet', 1670, '{"rows":20,"columns":1,"column_names":["x"]}', '2026-11-26 21:13:13.323277+00');
INSERT INTO artifacts VALUES ('20261126-211313-5a69e0', 'pull', 'rows', 'blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet', 'e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28', 'parquet', 1675, '{"rows":22,"columns":1,"column_names":["x"]}', '2026-11-26 21:13:13.640928+00');
INSERT INTO attempts VALUES ('20261126-211312-92efd8', 'pull', 1, 'succeeded', 'host:4251', '', '{}', '8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b', '2026-11-26 21:13:13.120708+00', '2026-11-26 21:13:13.323277+00', 0.18363815900011105, 30789632);
INSERT INTO attempts VALUES ('20261126-211312-92efd8', 'train[model=mean]', 1, 'succeeded', 'host:4251', '', '{}', 'bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3', '2026-11-26 21:13:13.344394+00', '2026-11-26 21:13:13.454922+00', 0.10735504500189563, 41005056);
INSERT INTO attempts VALUES ('20261126-211312-92efd8', 'train[model=median]', 1, 'succeeded', 'host:4251', '', '{}', '12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6', '2026-11-26 21:13:13.353238+00', '2026-11-26 21:13:13.508373+00', 0.15015808599855518, 41668608);
INSERT INTO attempts VALUES ('20261126-211313-5a69e0', 'fail', 1, 'failed', 'host:4251', '', '{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}', '1d1c138251231e063b2f567413e152ae1e7e895e78850b49bef839eea658f76c', '2026-11-26 21:13:13.76806+00', '2026-11-26 21:13:13.858135+00', 0.08022724400143488, 12468224);
INSERT INTO attempts VALUES ('20261126-211313-5a69e0', 'pull', 1, 'succeeded', 'host:4251', '', '{}', '9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a', '2026-11-26 21:13:13.593157+00', '2026-11-26 21:13:13.640928+00', 0.03709424499902525, 28532736);
INSERT INTO attempts VALUES ('20261126-211313-5a69e0', 'train[model=mean]', 1, 'succeeded', 'host:4251', '', '{}', '3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687', '2026-11-26 21:13:13.660459+00', '2026-11-26 21:13:13.752744+00', 0.08587571700263652, 33480704);
INSERT INTO attempts VALUES ('20261126-211313-5a69e0', 'train[model=median]', 1, 'succeeded', 'host:4251', '', '{}', 'a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778', '2026-11-26 21:13:13.668946+00', '2026-11-26 21:13:13.725048+00', 0.05114737400072045, 34156544);
INSERT INTO cache_entries VALUES ('sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b', 'weekly', 'train[model=median]', '20261126-211312-92efd8', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":9.5}', '{}', '12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6', false, 0.15015808599855518, '2026-11-26 21:13:13.508373+00');
INSERT INTO cache_entries VALUES ('sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6', 'weekly', 'train[model=mean]', '20261126-211313-5a69e0', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":10.5}', '{}', '3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687', false, 0.08587571700263652, '2026-11-26 21:13:13.752744+00');
INSERT INTO cache_entries VALUES ('sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f', 'weekly', 'train[model=mean]', '20261126-211312-92efd8', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":9.5}', '{}', 'bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3', false, 0.10735504500189563, '2026-11-26 21:13:13.454922+00');
INSERT INTO cache_entries VALUES ('sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe', 'weekly', 'train[model=median]', '20261126-211313-5a69e0', '{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}', '{"value":10.5}', '{}', 'a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778', false, 0.05114737400072045, '2026-11-26 21:13:13.725048+00');
INSERT INTO cache_entries VALUES ('sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9', 'weekly', 'pull', '20261126-211312-92efd8', '{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"20"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}', '{"count":20}', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}', '8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b', false, 0.18363815900011105, '2026-11-26 21:13:13.323277+00');
INSERT INTO cache_entries VALUES ('sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5', 'weekly', 'pull', '20261126-211313-5a69e0', '{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"22"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}', '{"count":22}', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}', '9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a', false, 0.03709424499902525, '2026-11-26 21:13:13.640928+00');
INSERT INTO compute_measurements VALUES ('host/cpu', 'CPU', 'a processor', '{"float64":100000000000.0}', '2026-03-01 12:00:00+00');
INSERT INTO deployment_revisions VALUES ('delay', 1, '{"1":0.9,"2":0.1}', '{}', '', 'deploy', '', '2026-03-01 12:00:00+00');
INSERT INTO deployments VALUES ('delay', 'kubernetes', 'delay', 'running', '', 'https://delay.example.com', 1, '{"namespace":"models"}', 'champion', '', '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00');
INSERT INTO feature_definitions VALUES ('entity', 'user', '', 'user', '{"name":"user","join_keys":{"user":"int64"},"description":"","owner":"","tags":{}}', '[]', '', '', '{}', '', 'ada', '2026-11-26 21:13:13.975929+00', '2026-11-26 21:13:13.975929+00');
INSERT INTO feature_definitions VALUES ('service', 'model', 'e2f2a478060880cd', 'model', '{"name":"model","features":["spent@4032c34fbc3f5af4:amount"],"description":"","owner":"","tags":{},"version":"e2f2a478060880cd"}', '[]', '', '', '{}', '', 'ada', '2026-11-26 21:13:14.212445+00', '2026-11-26 21:13:14.212445+00');
INSERT INTO feature_definitions VALUES ('view', 'spent', '4032c34fbc3f5af4', 'spent', '{"name":"spent","entities":["user"],"sql":"SELECT * FROM ''spent.parquet''","function":null,"database":"","schema":{"amount":"float64"},"event_timestamp":"event_timestamp","created_timestamp":"","time_zone":"","ttl":172800000000,"aggregations":[],"expectations":[],"description":"","owner":"","tags":{},"version":"4032c34fbc3f5af4"}', '[]', '', '', '{}', '', 'ada', '2026-11-26 21:13:13.975929+00', '2026-11-26 21:13:13.975929+00');
INSERT INTO feature_parts VALUES (1, '817b7a4a33804723a6ab6f14c7350fad', 'spent', '4032c34fbc3f5af4', '4032c34fbc3f5af4/6e4aaa4b3dda476389dc18a61213ada9.parquet', '8b0d6cb61c784551b128def974b41946', 3, 733, '2026-02-28 06:00:00+00', '2026-03-01 02:00:00+00', 2, true, '2026-11-26 21:13:14.25401+00');
INSERT INTO feature_parts VALUES (2, '600813da091848538159db0bccc962f4', 'spent', '4032c34fbc3f5af4', '4032c34fbc3f5af4/4ff798e8b4ef4c208cd2c18c5993eff3.parquet', '', 1, 1491, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00', 0, true, '2026-11-26 21:13:14.319215+00');
INSERT INTO fires VALUES ('weekly.monday', '2026-03-01 12:00:00+00', 'missed', '', '', 2, NULL, 0, NULL, false, '2026-03-01 12:00:00+00');
INSERT INTO images VALUES ('sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'registry.example.com/team/delay:1', 'serving', 'models:/delay/1', '', true, false, '["linux/amd64"]', 0, 'python', '', '', '2026-03-01 12:00:00+00');
INSERT INTO leases VALUES ('scheduler', 'nobody', 7, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00');
INSERT INTO lineage_links VALUES ('data', 'sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a', 'model', 'delay/1', '2026-11-26 21:13:13.929559+00');
INSERT INTO lineage_links VALUES ('data', 'sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a', 'model', 'delay/2', '2026-11-26 21:13:13.949908+00');
INSERT INTO materializations VALUES ('8b0d6cb61c784551b128def974b41946', 'spent', '4032c34fbc3f5af4', 'succeeded', NULL, '2026-03-01 12:00:00+00', 3, 2, '{"rows":3,"features":{"amount":{"dtype":"float64","nulls":0,"min":1.5,"max":3.5,"mean":2.5,"std":1.0,"edges":[1.5,2.5],"shares":[0.3333333333333333,0.3333333333333333,0.3333333333333333],"quantiles":[1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5]}}}', '[]', '', '', '2026-11-26 21:13:14.217357+00', '2026-11-26 21:13:14.304619+00');
INSERT INTO model_aliases VALUES ('delay', 'champion', 2, false, 'ada', '2026-11-26 21:13:13.956798+00');
INSERT INTO model_versions VALUES ('delay', 1, 'cbf1676f207236e0cb18b827691ed9a9b3adaf273f69b509fa3a8dfc69373823', 'builtins.dict', 'safetensors', '', '{"auc":0.25}', '{"region":"eu"}', '["42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","75065dcbd539fe6849843cc72e154066cc2d0be93eab5cee916b37fec7f59bfd","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","cbf1676f207236e0cb18b827691ed9a9b3adaf273f69b509fa3a8dfc69373823","cdf76ab648e0c1ed11456863dcf1d6c8cd1138745faf4a82edc479e5bb016838"]', 751, 'quick', '', '', '', 'ada', '2026-11-26 21:13:13.925898+00');
INSERT INTO model_versions VALUES ('delay', 2, '41852bc445d8120ccf36e112fb7f9e86aa5fb8b112fd5f681aebe9e602e36921', 'builtins.dict', 'safetensors', '', '{"auc":0.5}', '{"region":"eu"}', '["41852bc445d8120ccf36e112fb7f9e86aa5fb8b112fd5f681aebe9e602e36921","42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","7ac1c4d50c624405f1dc113be8f44f30f5db3717a6d708ae51cd806f41d801c2","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","965d18878cf7a9afac6c14733037468ff3124f953b8f428bb1c1cf30d92b2585"]', 751, 'quick', '', '', '', 'ada', '2026-11-26 21:13:13.948698+00');
INSERT INTO queue_entries VALUES ('waits', 'weekly', 'ada', '', 'default', 'held', 0, false, '[]', '[]', '[]', NULL, '2026-03-01 12:00:00+00', NULL, false, 0, 0, '', NULL, '2026-03-01 12:00:00+00');
INSERT INTO queue_usage VALUES ('2026-03-01', 'ada', '', 'default', 1, 0, 0, 12.5, 0, 0, 0);
INSERT INTO quotas VALUES ('all', '', '{}', 'ada', '2026-11-26 21:13:13.886748+00');
INSERT INTO quotas VALUES ('prices', '', '{}', 'ada', '2026-11-26 21:13:13.886748+00');
INSERT INTO quotas VALUES ('settings', '', '{"operators":[],"aging_minutes":10.0,"half_life_days":7.0,"patience_minutes":60.0}', 'ada', '2026-11-26 21:13:13.886748+00');
INSERT INTO quotas VALUES ('task', '', '{"cpu":1.0}', 'ada', '2026-11-26 21:13:13.886748+00');
INSERT INTO quotas VALUES ('users', 'ada', '{"runs":3,"cpu":4.0}', 'ada', '2026-11-26 21:13:13.886748+00');
INSERT INTO registered_models VALUES ('delay', 'delay', '', '{}', 2, false, 'ada', '2026-11-26 21:13:13.925898+00', '2026-11-26 21:13:13.955959+00');
INSERT INTO run_events VALUES (1, '20261126-211312-92efd8', 'RunStarted', '2026-11-26 21:13:12.509454+00', '{}');
INSERT INTO run_events VALUES (2, '20261126-211312-92efd8', 'CacheMissed', '2026-11-26 21:13:12.519415+00', '{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","reason":""}');
INSERT INTO run_events VALUES (3, '20261126-211312-92efd8', 'AttemptStarted', '2026-11-26 21:13:13.120708+00', '{"task":"pull","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (4, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.120708+00', '{"task":"pull","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (5, '20261126-211312-92efd8', 'AttemptSucceeded', '2026-11-26 21:13:13.323277+00', '{"task":"pull","attempt":1,"results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b","duration_seconds":0.18363815900011105,"peak_memory_bytes":30789632}');
INSERT INTO run_events VALUES (6, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.323277+00', '{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (7, '20261126-211312-92efd8', 'CacheMissed', '2026-11-26 21:13:13.333057+00', '{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","reason":""}');
INSERT INTO run_events VALUES (8, '20261126-211312-92efd8', 'CacheMissed', '2026-11-26 21:13:13.333742+00', '{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","reason":""}');
INSERT INTO run_events VALUES (9, '20261126-211312-92efd8', 'AttemptStarted', '2026-11-26 21:13:13.344394+00', '{"task":"train[model=mean]","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (10, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.344394+00', '{"task":"train[model=mean]","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (11, '20261126-211312-92efd8', 'AttemptStarted', '2026-11-26 21:13:13.353238+00', '{"task":"train[model=median]","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (12, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.353238+00', '{"task":"train[model=median]","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (13, '20261126-211312-92efd8', 'AttemptSucceeded', '2026-11-26 21:13:13.454922+00', '{"task":"train[model=mean]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3","duration_seconds":0.10735504500189563,"peak_memory_bytes":41005056}');
INSERT INTO run_events VALUES (14, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.454922+00', '{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (15, '20261126-211312-92efd8', 'AttemptSucceeded', '2026-11-26 21:13:13.508373+00', '{"task":"train[model=median]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6","duration_seconds":0.15015808599855518,"peak_memory_bytes":41668608}');
INSERT INTO run_events VALUES (16, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.508373+00', '{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (17, '20261126-211312-92efd8', 'TaskStateChanged', '2026-11-26 21:13:13.508373+00', '{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO run_events VALUES (18, '20261126-211312-92efd8', 'RunFinished', '2026-11-26 21:13:13.508373+00', '{"state":"succeeded","message":""}');
INSERT INTO run_events VALUES (19, '20261126-211313-ab5ebd', 'RunStarted', '2026-11-26 21:13:13.528513+00', '{}');
INSERT INTO run_events VALUES (20, '20261126-211313-ab5ebd', 'CacheHit', '2026-11-26 21:13:13.530693+00', '{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","source_run_id":"20261126-211312-92efd8","results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b","reason":""}');
INSERT INTO run_events VALUES (21, '20261126-211313-ab5ebd', 'TaskStateChanged', '2026-11-26 21:13:13.530693+00', '{"task":"pull","state":"cached","attempt":0,"reason":""}');
INSERT INTO run_events VALUES (22, '20261126-211313-ab5ebd', 'CacheHit', '2026-11-26 21:13:13.533294+00', '{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","source_run_id":"20261126-211312-92efd8","results":{"value":9.5},"artifacts":{},"notebook":"bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3","reason":""}');
INSERT INTO run_events VALUES (23, '20261126-211313-ab5ebd', 'TaskStateChanged', '2026-11-26 21:13:13.533294+00', '{"task":"train[model=mean]","state":"cached","attempt":0,"reason":""}');
INSERT INTO run_events VALUES (24, '20261126-211313-ab5ebd', 'CacheHit', '2026-11-26 21:13:13.533326+00', '{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","source_run_id":"20261126-211312-92efd8","results":{"value":9.5},"artifacts":{},"notebook":"12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6","reason":""}');
INSERT INTO run_events VALUES (25, '20261126-211313-ab5ebd', 'TaskStateChanged', '2026-11-26 21:13:13.533326+00', '{"task":"train[model=median]","state":"cached","attempt":0,"reason":""}');
INSERT INTO run_events VALUES (26, '20261126-211313-ab5ebd', 'TaskStateChanged', '2026-11-26 21:13:13.533326+00', '{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO run_events VALUES (27, '20261126-211313-ab5ebd', 'RunFinished', '2026-11-26 21:13:13.533326+00', '{"state":"succeeded","message":""}');
INSERT INTO run_events VALUES (28, '20261126-211313-5a69e0', 'RunStarted', '2026-11-26 21:13:13.539524+00', '{}');
INSERT INTO run_events VALUES (29, '20261126-211313-5a69e0', 'CacheMissed', '2026-11-26 21:13:13.54275+00', '{"task":"pull","cache_key":"sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5","reason":"argument week: 20 \u2192 22"}');
INSERT INTO run_events VALUES (30, '20261126-211313-5a69e0', 'AttemptStarted', '2026-11-26 21:13:13.593157+00', '{"task":"pull","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (31, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.593157+00', '{"task":"pull","state":"running","attempt":1,"reason":"argument week: 20 \u2192 22"}');
INSERT INTO run_events VALUES (32, '20261126-211313-5a69e0', 'AttemptSucceeded', '2026-11-26 21:13:13.640928+00', '{"task":"pull","attempt":1,"results":{"count":22},"artifacts":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"notebook":"9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a","duration_seconds":0.03709424499902525,"peak_memory_bytes":28532736}');
INSERT INTO run_events VALUES (33, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.640928+00', '{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (34, '20261126-211313-5a69e0', 'CacheMissed', '2026-11-26 21:13:13.64753+00', '{"task":"train[model=mean]","cache_key":"sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6","reason":"input rows changed"}');
INSERT INTO run_events VALUES (35, '20261126-211313-5a69e0', 'CacheMissed', '2026-11-26 21:13:13.648643+00', '{"task":"train[model=median]","cache_key":"sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe","reason":"input rows changed"}');
INSERT INTO run_events VALUES (36, '20261126-211313-5a69e0', 'AttemptStarted', '2026-11-26 21:13:13.660459+00', '{"task":"train[model=mean]","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (37, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.660459+00', '{"task":"train[model=mean]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO run_events VALUES (38, '20261126-211313-5a69e0', 'AttemptStarted', '2026-11-26 21:13:13.668946+00', '{"task":"train[model=median]","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (39, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.668946+00', '{"task":"train[model=median]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO run_events VALUES (40, '20261126-211313-5a69e0', 'AttemptSucceeded', '2026-11-26 21:13:13.725048+00', '{"task":"train[model=median]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778","duration_seconds":0.05114737400072045,"peak_memory_bytes":34156544}');
INSERT INTO run_events VALUES (41, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.725048+00', '{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (42, '20261126-211313-5a69e0', 'AttemptSucceeded', '2026-11-26 21:13:13.752744+00', '{"task":"train[model=mean]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687","duration_seconds":0.08587571700263652,"peak_memory_bytes":33480704}');
INSERT INTO run_events VALUES (43, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.752744+00', '{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (44, '20261126-211313-5a69e0', 'CacheMissed', '2026-11-26 21:13:13.755687+00', '{"task":"fail","cache_key":"sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6","reason":""}');
INSERT INTO run_events VALUES (45, '20261126-211313-5a69e0', 'AttemptStarted', '2026-11-26 21:13:13.76806+00', '{"task":"fail","attempt":1,"worker":"host:4251"}');
INSERT INTO run_events VALUES (46, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.76806+00', '{"task":"fail","state":"running","attempt":1,"reason":""}');
INSERT INTO run_events VALUES (47, '20261126-211313-5a69e0', 'AttemptFailed', '2026-11-26 21:13:13.858135+00', '{"task":"fail","attempt":1,"error":{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1},"error_class":"ZeroDivisionError","notebook":"1d1c138251231e063b2f567413e152ae1e7e895e78850b49bef839eea658f76c","duration_seconds":0.08022724400143488,"peak_memory_bytes":12468224}');
INSERT INTO run_events VALUES (48, '20261126-211313-5a69e0', 'TaskStateChanged', '2026-11-26 21:13:13.858135+00', '{"task":"fail","state":"failed","attempt":1,"reason":"ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero"}');
INSERT INTO run_events VALUES (49, '20261126-211313-5a69e0', 'RunFinished', '2026-11-26 21:13:13.858135+00', '{"state":"failed","message":"failed: fail"}');
INSERT INTO runs VALUES ('20261126-211312-92efd8', 'weekly', '/tmp/project/pipeline.yaml', '{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}', '{"week":20}', '{"cluster":"local","workers":2,"isolation":null}', 'succeeded', '', 'root', '2026-11-26 21:13:12.503135+00', '2026-11-26 21:13:12.503135+00', '2026-11-26 21:13:13.508373+00', NULL, '', '2026-11-26 21:13:13.508797+00', false);
INSERT INTO runs VALUES ('20261126-211313-5a69e0', 'weekly', '/tmp/project/pipeline.yaml', '{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":22},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}', '{"week":22}', '{"cluster":"local","workers":2,"isolation":null}', 'failed', 'failed: fail', 'root', '2026-11-26 21:13:13.538365+00', '2026-11-26 21:13:13.538365+00', '2026-11-26 21:13:13.858135+00', NULL, '', '2026-11-26 21:13:13.858373+00', false);
INSERT INTO runs VALUES ('20261126-211313-ab5ebd', 'weekly', '/tmp/project/pipeline.yaml', '{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}', '{"week":20}', '{"cluster":"local","workers":2,"isolation":null}', 'succeeded', '', 'root', '2026-11-26 21:13:13.526715+00', '2026-11-26 21:13:13.526715+00', '2026-11-26 21:13:13.533326+00', NULL, '', '2026-11-26 21:13:13.533644+00', false);
INSERT INTO schedules VALUES ('weekly.monday', 'weekly', 'pipeline.yaml', '0 6 * * 1', 'Europe/Zurich', '{"cron":"0 6 * * 1","timezone":"Europe/Zurich","parameters":{},"catch_up":"last","overlap":"skip","jitter_seconds":0.0,"start":"","end":"","is_paused":false,"queue":"","priority":0,"is_preemptible":false}', false, NULL, '2026-11-30 05:00:00+00', '2026-11-30 05:00:00+00', 'root', '2026-11-26 21:13:13.878114+00', '2026-11-26 21:13:13.878114+00');
INSERT INTO task_runs VALUES ('20261126-211312-92efd8', 'fail', 'fail', 3, 'skipped', 0, 'not when pull.count > 21 (pull.count = 20)', '', '', '{}', '{}', '{}', '', '{}', '', 0, 0, NULL, '2026-11-26 21:13:13.508373+00', 0, 0);
INSERT INTO task_runs VALUES ('20261126-211312-92efd8', 'pull', 'pull', 0, 'succeeded', 1, '', 'sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9', '', '{"week":20}', '{"count":20}', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}', '8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b', '{}', 'host:4251', 3, 3, '2026-11-26 21:13:13.120708+00', '2026-11-26 21:13:13.323277+00', 0.18363815900011105, 30789632);
INSERT INTO task_runs VALUES ('20261126-211312-92efd8', 'train[model=mean]', 'train', 1, 'succeeded', 1, '', 'sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f', '', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}', '{"value":9.5}', '{}', 'bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3', '{}', 'host:4251', 3, 3, '2026-11-26 21:13:13.344394+00', '2026-11-26 21:13:13.454922+00', 0.10735504500189563, 41005056);
INSERT INTO task_runs VALUES ('20261126-211312-92efd8', 'train[model=median]', 'train', 2, 'succeeded', 1, '', 'sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b', '', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}', '{"value":9.5}', '{}', '12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6', '{}', 'host:4251', 3, 3, '2026-11-26 21:13:13.353238+00', '2026-11-26 21:13:13.508373+00', 0.15015808599855518, 41668608);
INSERT INTO task_runs VALUES ('20261126-211313-5a69e0', 'fail', 'fail', 3, 'failed', 1, 'ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero', 'sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6', '', '{}', '{}', '{}', '1d1c138251231e063b2f567413e152ae1e7e895e78850b49bef839eea658f76c', '{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}', 'host:4251', 1, 1, '2026-11-26 21:13:13.76806+00', '2026-11-26 21:13:13.858135+00', 0.08022724400143488, 12468224);
INSERT INTO task_runs VALUES ('20261126-211313-5a69e0', 'pull', 'pull', 0, 'succeeded', 1, '', 'sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5', '', '{"week":22}', '{"count":22}', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}', '9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a', '{}', 'host:4251', 3, 3, '2026-11-26 21:13:13.593157+00', '2026-11-26 21:13:13.640928+00', 0.03709424499902525, 28532736);
INSERT INTO task_runs VALUES ('20261126-211313-5a69e0', 'train[model=mean]', 'train', 1, 'succeeded', 1, '', 'sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6', '', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"mean"}', '{"value":10.5}', '{}', '3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687', '{}', 'host:4251', 3, 3, '2026-11-26 21:13:13.660459+00', '2026-11-26 21:13:13.752744+00', 0.08587571700263652, 33480704);
INSERT INTO task_runs VALUES ('20261126-211313-5a69e0', 'train[model=median]', 'train', 2, 'succeeded', 1, '', 'sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe', '', '{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"median"}', '{"value":10.5}', '{}', 'a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778', '{}', 'host:4251', 3, 3, '2026-11-26 21:13:13.668946+00', '2026-11-26 21:13:13.725048+00', 0.05114737400072045, 34156544);
INSERT INTO task_runs VALUES ('20261126-211313-ab5ebd', 'fail', 'fail', 3, 'skipped', 0, 'not when pull.count > 21 (pull.count = 20)', '', '', '{}', '{}', '{}', '', '{}', '', 0, 0, NULL, '2026-11-26 21:13:13.533326+00', 0, 0);
INSERT INTO task_runs VALUES ('20261126-211313-ab5ebd', 'pull', 'pull', 0, 'cached', 0, '', 'sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9', '20261126-211312-92efd8', '{"week":20}', '{"count":20}', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}', '8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b', '{}', '', 0, 0, NULL, '2026-11-26 21:13:13.530693+00', 0, 0);
INSERT INTO task_runs VALUES ('20261126-211313-ab5ebd', 'train[model=mean]', 'train', 1, 'cached', 0, '', 'sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f', '20261126-211312-92efd8', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}', '{"value":9.5}', '{}', 'bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3', '{}', '', 0, 0, NULL, '2026-11-26 21:13:13.533294+00', 0, 0);
INSERT INTO task_runs VALUES ('20261126-211313-ab5ebd', 'train[model=median]', 'train', 2, 'cached', 0, '', 'sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b', '20261126-211312-92efd8', '{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}', '{"value":9.5}', '{}', '12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6', '{}', '', 0, 0, NULL, '2026-11-26 21:13:13.533326+00', 0, 0);
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
