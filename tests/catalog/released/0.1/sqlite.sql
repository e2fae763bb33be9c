BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0008');
CREATE TABLE alias_moves (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	alias TEXT NOT NULL, 
	old_version INTEGER, 
	new_version INTEGER, 
	user_name TEXT NOT NULL, 
	at BIGINT NOT NULL
);
INSERT INTO "alias_moves" VALUES(1,'delay','champion',NULL,1,'ada',1795741727282885);
INSERT INTO "alias_moves" VALUES(2,'delay','champion',1,2,'ada',1795741727286426);
CREATE TABLE artifacts (
	run_id TEXT NOT NULL, 
	task TEXT NOT NULL, 
	name TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	format TEXT NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	summary TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (run_id, task, name)
);
INSERT INTO "artifacts" VALUES('20261127-010843-e0ee78','pull','rows','blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet','255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df','parquet',1670,'{"rows":20,"columns":1,"column_names":["x"]}',1795741725801565);
INSERT INTO "artifacts" VALUES('20261127-010846-c45f4c','pull','rows','blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet','e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28','parquet',1675,'{"rows":22,"columns":1,"column_names":["x"]}',1795741726417328);
CREATE TABLE attempts (
	run_id TEXT NOT NULL, 
	task TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	error TEXT NOT NULL, 
	notebook TEXT NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	duration_seconds DOUBLE NOT NULL, 
	peak_memory_bytes INTEGER NOT NULL, 
	cpu_seconds DOUBLE, 
	cpus DOUBLE, 
	gpu_utilization DOUBLE, 
	PRIMARY KEY (run_id, task, attempt)
);
INSERT INTO "attempts" VALUES('20261127-010843-e0ee78','pull',1,'succeeded','host:22295','','{}','23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c',1795741724775201,1795741725801565,1.00145424700167495757e+00,31051776,0.03,2.0,NULL);
INSERT INTO "attempts" VALUES('20261127-010843-e0ee78','train[model=mean]',1,'succeeded','host:22295','','{}','f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158',1795741725822734,1795741726043699,2.16236772997945081442e-01,41521152,4.99999999999999958366e-02,2.0,NULL);
INSERT INTO "attempts" VALUES('20261127-010843-e0ee78','train[model=median]',1,'succeeded','host:22295','','{}','bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce',1795741725825622,1795741726139098,3.03372750000562518835e-01,41897984,0.04,2.0,NULL);
INSERT INTO "attempts" VALUES('20261127-010846-c45f4c','pull',1,'succeeded','host:22295','','{}','ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11',1795741726306035,1795741726417328,1.04078867996577173471e-01,28782592,0.03,2.0,NULL);
INSERT INTO "attempts" VALUES('20261127-010846-c45f4c','train[model=mean]',1,'succeeded','host:22295','','{}','fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1',1795741726454340,1795741726608567,1.42330795999441761523e-01,33722368,0.04,2.0,NULL);
INSERT INTO "attempts" VALUES('20261127-010846-c45f4c','train[model=median]',1,'succeeded','host:22295','','{}','8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8',1795741726468050,1795741726643344,1.64253955001186113804e-01,34373632,0.04,2.0,NULL);
INSERT INTO "attempts" VALUES('20261127-010846-c45f4c','fail',1,'failed','host:22295','','{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}','9ac0d1e664423118d4d3adb47acb70b29ee262fe47d1eb8ead7d4b16d2c3cf95',1795741726663943,1795741726968365,2.85484302003169432282e-01,12570624,6.99999999999999927835e-02,2.0,NULL);
CREATE TABLE cache_entries (
	cache_key TEXT NOT NULL, 
	pipeline TEXT NOT NULL, 
	task TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	components TEXT NOT NULL, 
	results TEXT NOT NULL, 
	artifacts TEXT NOT NULL, 
	notebook TEXT NOT NULL, 
	is_frozen BOOLEAN NOT NULL, 
	duration_seconds DOUBLE NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (cache_key)
);
INSERT INTO "cache_entries" VALUES('sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9','weekly','pull','20261127-010843-e0ee78','{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"20"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}','{"count":20}','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}','23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c',0,1.00145424700167495757e+00,1795741725801565);
INSERT INTO "cache_entries" VALUES('sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f','weekly','train[model=mean]','20261127-010843-e0ee78','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":9.5}','{}','f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158',0,2.16236772997945081442e-01,1795741726043699);
INSERT INTO "cache_entries" VALUES('sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b','weekly','train[model=median]','20261127-010843-e0ee78','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":9.5}','{}','bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce',0,3.03372750000562518835e-01,1795741726139098);
INSERT INTO "cache_entries" VALUES('sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5','weekly','pull','20261127-010846-c45f4c','{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"22"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}','{"count":22}','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}','ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11',0,1.04078867996577173471e-01,1795741726417328);
INSERT INTO "cache_entries" VALUES('sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6','weekly','train[model=mean]','20261127-010846-c45f4c','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":10.5}','{}','fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1',0,1.42330795999441761523e-01,1795741726608567);
INSERT INTO "cache_entries" VALUES('sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe','weekly','train[model=median]','20261127-010846-c45f4c','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":10.5}','{}','8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8',0,1.64253955001186113804e-01,1795741726643344);
CREATE TABLE compute_measurements (
	unit TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	body TEXT NOT NULL, 
	measured_at BIGINT NOT NULL, 
	PRIMARY KEY (unit, measured_at)
);
INSERT INTO "compute_measurements" VALUES('host/cpu','CPU','a processor','{"float64":100000000000.0}',1772366400000000);
CREATE TABLE deployment_revisions (
	name TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	traffic TEXT NOT NULL, 
	shadow TEXT NOT NULL, 
	image TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (name, revision)
);
INSERT INTO "deployment_revisions" VALUES('delay',1,'{"1":0.9,"2":0.1}','{}','','deploy','',1772366400000000);
CREATE TABLE deployments (
	name TEXT NOT NULL, 
	target TEXT NOT NULL, 
	model TEXT NOT NULL, 
	state TEXT NOT NULL, 
	message TEXT NOT NULL, 
	url TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	options TEXT NOT NULL, 
	alias TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "deployments" VALUES('delay','kubernetes','delay','running','','https://delay.example.com',1,'{"namespace":"models"}','champion','',1772366400000000,1772366400000000);
CREATE TABLE feature_definitions (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	version TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	blobs TEXT NOT NULL, 
	description TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	registered_at BIGINT NOT NULL, 
	PRIMARY KEY (kind, name, version)
);
INSERT INTO "feature_definitions" VALUES('entity','user','','user','{"name":"user","join_keys":{"user":"int64"},"description":"","owner":"","tags":{}}','[]','','','{}','','ada',1795741727580038,1795741727580038);
INSERT INTO "feature_definitions" VALUES('view','spent','4032c34fbc3f5af4','spent','{"name":"spent","entities":["user"],"sql":"SELECT * FROM ''spent.parquet''","function":null,"database":"","schema":{"amount":"float64"},"event_timestamp":"event_timestamp","created_timestamp":"","time_zone":"","ttl":172800000000,"aggregations":[],"expectations":[],"description":"","owner":"","tags":{},"version":"4032c34fbc3f5af4"}','[]','','','{}','','ada',1795741727580038,1795741727580038);
INSERT INTO "feature_definitions" VALUES('service','model','e2f2a478060880cd','model','{"name":"model","features":["spent@4032c34fbc3f5af4:amount"],"description":"","owner":"","tags":{},"version":"e2f2a478060880cd"}','[]','','','{}','','ada',1795741727807843,1795741727807843);
CREATE TABLE feature_parts (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	part_id TEXT NOT NULL, 
	"view" TEXT NOT NULL, 
	version TEXT NOT NULL, 
	path TEXT NOT NULL, 
	materialization_id TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	least_at BIGINT NOT NULL, 
	greatest_at BIGINT NOT NULL, 
	online_rows INTEGER NOT NULL, 
	is_online BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL
);
INSERT INTO "feature_parts" VALUES(1,'8e65f282df4f4a6eab20766aff84d1f4','spent','4032c34fbc3f5af4','4032c34fbc3f5af4/70fd1b1df55348409a91131a561482b2.parquet','41d7c49272b84ba285a7c3295a16d771',3,733,1772258400000000,1772330400000000,2,1,1795741727921646);
INSERT INTO "feature_parts" VALUES(2,'9325885ade9b436687a5ccbdf00205c2','spent','4032c34fbc3f5af4','4032c34fbc3f5af4/b86c8cafcf13482db67bdc7e685fa840.parquet','',1,1491,1772366400000000,1772366400000000,0,1,1795741728164643);
CREATE TABLE fires (
	schedule TEXT NOT NULL, 
	fire_at BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	first_at BIGINT, 
	drives INTEGER NOT NULL, 
	driven_at BIGINT, 
	is_backfill BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (schedule, fire_at)
);
INSERT INTO "fires" VALUES('weekly.monday',1772366400000000,'missed','','',2,NULL,0,NULL,0,1772366400000000);
CREATE TABLE images (
	digest TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	source TEXT NOT NULL, 
	source_digest TEXT NOT NULL, 
	is_pushed BOOLEAN NOT NULL, 
	is_signed BOOLEAN NOT NULL, 
	platforms TEXT NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	builder TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (digest, name)
);
INSERT INTO "images" VALUES('sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','registry.example.com/team/delay:1','serving','models:/delay/1','',1,0,'["linux/amd64"]',0,'python','','',1772366400000000);
CREATE TABLE leases (
	name TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	token INTEGER NOT NULL, 
	until_at BIGINT NOT NULL, 
	renewed_at BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "leases" VALUES('scheduler','nobody',7,1772366400000000,1772366400000000);
CREATE TABLE lineage_links (
	source_kind TEXT NOT NULL, 
	source TEXT NOT NULL, 
	target_kind TEXT NOT NULL, 
	target TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (source_kind, source, target_kind, target)
);
INSERT INTO "lineage_links" VALUES('data','sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a','model','delay/1',1795741727214997);
INSERT INTO "lineage_links" VALUES('data','sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a','model','delay/2',1795741727270823);
CREATE TABLE materializations (
	materialization_id TEXT NOT NULL, 
	"view" TEXT NOT NULL, 
	version TEXT NOT NULL, 
	state TEXT NOT NULL, 
	start_at BIGINT, 
	end_at BIGINT NOT NULL, 
	rows INTEGER NOT NULL, 
	online_rows INTEGER NOT NULL, 
	profile TEXT NOT NULL, 
	problems TEXT NOT NULL, 
	message TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	PRIMARY KEY (materialization_id)
);
INSERT INTO "materializations" VALUES('41d7c49272b84ba285a7c3295a16d771','spent','4032c34fbc3f5af4','succeeded',NULL,1772366400000000,3,2,'{"rows":3,"features":{"amount":{"dtype":"float64","nulls":0,"min":1.5,"max":3.5,"mean":2.5,"std":1.0,"edges":[1.5,2.5],"shares":[0.3333333333333333,0.3333333333333333,0.3333333333333333],"quantiles":[1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5]}}}','[]','','',1795741727824152,1795741728127290);
CREATE TABLE model_aliases (
	name TEXT NOT NULL, 
	alias TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	is_protected BOOLEAN NOT NULL, 
	user_name TEXT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (name, alias)
);
INSERT INTO "model_aliases" VALUES('delay','champion',2,0,'ada',1795741727286314);
CREATE TABLE model_versions (
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	manifest TEXT NOT NULL, 
	estimator TEXT NOT NULL, 
	format TEXT NOT NULL, 
	description TEXT NOT NULL, 
	metrics TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	blobs TEXT NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	"check" TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	task TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (name, version)
);
INSERT INTO "model_versions" VALUES('delay',1,'5e96da8308f585db17ea9db27086546ea72debe3b572eaea4d97a4ff57deeede','builtins.dict','safetensors','','{"auc":0.25}','{"region":"eu"}','["42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","5e96da8308f585db17ea9db27086546ea72debe3b572eaea4d97a4ff57deeede","75065dcbd539fe6849843cc72e154066cc2d0be93eab5cee916b37fec7f59bfd","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","cdf76ab648e0c1ed11456863dcf1d6c8cd1138745faf4a82edc479e5bb016838"]',751,'quick','','','','ada',1795741727201648);
INSERT INTO "model_versions" VALUES('delay',2,'de12d3632d480d0a3befd1a7c86b17ffadcd3755624d43b321ed20180c1404c1','builtins.dict','safetensors','','{"auc":0.5}','{"region":"eu"}','["42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","7ac1c4d50c624405f1dc113be8f44f30f5db3717a6d708ae51cd806f41d801c2","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","965d18878cf7a9afac6c14733037468ff3124f953b8f428bb1c1cf30d92b2585","de12d3632d480d0a3befd1a7c86b17ffadcd3755624d43b321ed20180c1404c1"]',751,'quick','','','','ada',1795741727267525);
CREATE TABLE queue_entries (
	run_id TEXT NOT NULL, 
	pipeline TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	group_name TEXT NOT NULL, 
	queue TEXT NOT NULL, 
	state TEXT NOT NULL, 
	priority INTEGER NOT NULL, 
	is_preemptible BOOLEAN NOT NULL, 
	least TEXT NOT NULL, 
	most TEXT NOT NULL, 
	granted TEXT NOT NULL, 
	seconds DOUBLE, 
	since_at BIGINT NOT NULL, 
	admitted_at BIGINT, 
	is_leaving BOOLEAN NOT NULL, 
	preemptions INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	starts_at BIGINT, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (run_id)
);
INSERT INTO "queue_entries" VALUES('waits','weekly','ada','','default','held',0,0,'[]','[]','[]',NULL,1772366400000000,NULL,0,0,0,'',NULL,1772366400000000);
CREATE TABLE queue_usage (
	day TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	group_name TEXT NOT NULL, 
	queue TEXT NOT NULL, 
	spans INTEGER NOT NULL, 
	run_seconds DOUBLE NOT NULL, 
	task_seconds DOUBLE NOT NULL, 
	cpu_seconds DOUBLE NOT NULL, 
	memory_seconds DOUBLE NOT NULL, 
	gpu_seconds DOUBLE NOT NULL, 
	cost DOUBLE NOT NULL, 
	PRIMARY KEY (day, user_name, group_name, queue)
);
INSERT INTO "queue_usage" VALUES('2026-03-01','ada','','default',1,0.0,0.0,12.5,0.0,0.0,0.0);
CREATE TABLE quotas (
	scope TEXT NOT NULL, 
	name TEXT NOT NULL, 
	body TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (scope, name)
);
INSERT INTO "quotas" VALUES('settings','','{"operators":[],"aging_minutes":10.0,"half_life_days":7.0,"patience_minutes":60.0}','ada',1795741727059883);
INSERT INTO "quotas" VALUES('task','','{"cpu":1.0}','ada',1795741727059883);
INSERT INTO "quotas" VALUES('prices','','{}','ada',1795741727059883);
INSERT INTO "quotas" VALUES('all','','{}','ada',1795741727059883);
INSERT INTO "quotas" VALUES('users','ada','{"runs":3,"cpu":4.0}','ada',1795741727059883);
CREATE TABLE registered_models (
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	description TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	last_version INTEGER NOT NULL, 
	is_deleted BOOLEAN NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "registered_models" VALUES('delay','delay','','{}',2,0,'ada',1795741727201648,1795741727285227);
CREATE TABLE run_events (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	body TEXT NOT NULL
);
INSERT INTO "run_events" VALUES(1,'20261127-010843-e0ee78','RunStarted',1795741723453308,'{}');
INSERT INTO "run_events" VALUES(2,'20261127-010843-e0ee78','CacheMissed',1795741723475858,'{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","reason":""}');
INSERT INTO "run_events" VALUES(3,'20261127-010843-e0ee78','AttemptStarted',1795741724775201,'{"task":"pull","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(4,'20261127-010843-e0ee78','TaskStateChanged',1795741724775201,'{"task":"pull","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(5,'20261127-010843-e0ee78','AttemptSucceeded',1795741725801565,'{"task":"pull","attempt":1,"results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c","duration_seconds":1.001454247001675,"peak_memory_bytes":31051776,"cpu_seconds":0.03,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(6,'20261127-010843-e0ee78','TaskStateChanged',1795741725801565,'{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(7,'20261127-010843-e0ee78','CacheMissed',1795741725810315,'{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","reason":""}');
INSERT INTO "run_events" VALUES(8,'20261127-010843-e0ee78','CacheMissed',1795741725811280,'{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","reason":""}');
INSERT INTO "run_events" VALUES(9,'20261127-010843-e0ee78','AttemptStarted',1795741725822734,'{"task":"train[model=mean]","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(10,'20261127-010843-e0ee78','TaskStateChanged',1795741725822734,'{"task":"train[model=mean]","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(11,'20261127-010843-e0ee78','AttemptStarted',1795741725825622,'{"task":"train[model=median]","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(12,'20261127-010843-e0ee78','TaskStateChanged',1795741725825622,'{"task":"train[model=median]","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(13,'20261127-010843-e0ee78','AttemptSucceeded',1795741726043699,'{"task":"train[model=mean]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158","duration_seconds":0.21623677299794508,"peak_memory_bytes":41521152,"cpu_seconds":0.049999999999999996,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(14,'20261127-010843-e0ee78','TaskStateChanged',1795741726043699,'{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(15,'20261127-010843-e0ee78','AttemptSucceeded',1795741726139098,'{"task":"train[model=median]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce","duration_seconds":0.3033727500005625,"peak_memory_bytes":41897984,"cpu_seconds":0.04,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(16,'20261127-010843-e0ee78','TaskStateChanged',1795741726139098,'{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(17,'20261127-010843-e0ee78','TaskStateChanged',1795741726139098,'{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO "run_events" VALUES(18,'20261127-010843-e0ee78','RunFinished',1795741726139098,'{"state":"succeeded","message":""}');
INSERT INTO "run_events" VALUES(19,'20261127-010846-345697','RunStarted',1795741726175274,'{}');
INSERT INTO "run_events" VALUES(20,'20261127-010846-345697','CacheHit',1795741726177640,'{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","source_run_id":"20261127-010843-e0ee78","results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c","reason":""}');
INSERT INTO "run_events" VALUES(21,'20261127-010846-345697','TaskStateChanged',1795741726177640,'{"task":"pull","state":"cached","attempt":0,"reason":""}');
INSERT INTO "run_events" VALUES(22,'20261127-010846-345697','CacheHit',1795741726184595,'{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","source_run_id":"20261127-010843-e0ee78","results":{"value":9.5},"artifacts":{},"notebook":"f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158","reason":""}');
INSERT INTO "run_events" VALUES(23,'20261127-010846-345697','TaskStateChanged',1795741726184595,'{"task":"train[model=mean]","state":"cached","attempt":0,"reason":""}');
INSERT INTO "run_events" VALUES(24,'20261127-010846-345697','CacheHit',1795741726184635,'{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","source_run_id":"20261127-010843-e0ee78","results":{"value":9.5},"artifacts":{},"notebook":"bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce","reason":""}');
INSERT INTO "run_events" VALUES(25,'20261127-010846-345697','TaskStateChanged',1795741726184635,'{"task":"train[model=median]","state":"cached","attempt":0,"reason":""}');
INSERT INTO "run_events" VALUES(26,'20261127-010846-345697','TaskStateChanged',1795741726184635,'{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO "run_events" VALUES(27,'20261127-010846-345697','RunFinished',1795741726184635,'{"state":"succeeded","message":""}');
INSERT INTO "run_events" VALUES(28,'20261127-010846-c45f4c','RunStarted',1795741726209899,'{}');
INSERT INTO "run_events" VALUES(29,'20261127-010846-c45f4c','CacheMissed',1795741726218014,'{"task":"pull","cache_key":"sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5","reason":"argument week: 20 \u2192 22"}');
INSERT INTO "run_events" VALUES(30,'20261127-010846-c45f4c','AttemptStarted',1795741726306035,'{"task":"pull","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(31,'20261127-010846-c45f4c','TaskStateChanged',1795741726306035,'{"task":"pull","state":"running","attempt":1,"reason":"argument week: 20 \u2192 22"}');
INSERT INTO "run_events" VALUES(32,'20261127-010846-c45f4c','AttemptSucceeded',1795741726417328,'{"task":"pull","attempt":1,"results":{"count":22},"artifacts":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"notebook":"ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11","duration_seconds":0.10407886799657717,"peak_memory_bytes":28782592,"cpu_seconds":0.03,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(33,'20261127-010846-c45f4c','TaskStateChanged',1795741726417328,'{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(34,'20261127-010846-c45f4c','CacheMissed',1795741726434191,'{"task":"train[model=mean]","cache_key":"sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6","reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(35,'20261127-010846-c45f4c','CacheMissed',1795741726441858,'{"task":"train[model=median]","cache_key":"sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe","reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(36,'20261127-010846-c45f4c','AttemptStarted',1795741726454340,'{"task":"train[model=mean]","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(37,'20261127-010846-c45f4c','TaskStateChanged',1795741726454340,'{"task":"train[model=mean]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(38,'20261127-010846-c45f4c','AttemptStarted',1795741726468050,'{"task":"train[model=median]","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(39,'20261127-010846-c45f4c','TaskStateChanged',1795741726468050,'{"task":"train[model=median]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(40,'20261127-010846-c45f4c','AttemptSucceeded',1795741726608567,'{"task":"train[model=mean]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1","duration_seconds":0.14233079599944176,"peak_memory_bytes":33722368,"cpu_seconds":0.04,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(41,'20261127-010846-c45f4c','TaskStateChanged',1795741726608567,'{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(42,'20261127-010846-c45f4c','AttemptSucceeded',1795741726643344,'{"task":"train[model=median]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8","duration_seconds":0.1642539550011861,"peak_memory_bytes":34373632,"cpu_seconds":0.04,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(43,'20261127-010846-c45f4c','TaskStateChanged',1795741726643344,'{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(44,'20261127-010846-c45f4c','CacheMissed',1795741726658365,'{"task":"fail","cache_key":"sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6","reason":""}');
INSERT INTO "run_events" VALUES(45,'20261127-010846-c45f4c','AttemptStarted',1795741726663943,'{"task":"fail","attempt":1,"worker":"host:22295"}');
INSERT INTO "run_events" VALUES(46,'20261127-010846-c45f4c','TaskStateChanged',1795741726663943,'{"task":"fail","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(47,'20261127-010846-c45f4c','AttemptFailed',1795741726968365,'{"task":"fail","attempt":1,"error":{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1},"error_class":"ZeroDivisionError","notebook":"9ac0d1e664423118d4d3adb47acb70b29ee262fe47d1eb8ead7d4b16d2c3cf95","duration_seconds":0.28548430200316943,"peak_memory_bytes":12570624,"cpu_seconds":0.06999999999999999,"cpus":2.0,"gpu_utilization":null}');
INSERT INTO "run_events" VALUES(48,'20261127-010846-c45f4c','TaskStateChanged',1795741726968365,'{"task":"fail","state":"failed","attempt":1,"reason":"ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero"}');
INSERT INTO "run_events" VALUES(49,'20261127-010846-c45f4c','RunFinished',1795741726968365,'{"state":"failed","message":"failed: fail"}');
CREATE TABLE runs (
	run_id TEXT NOT NULL, 
	pipeline TEXT NOT NULL, 
	pipeline_path TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	arguments TEXT NOT NULL, 
	options TEXT NOT NULL, 
	state TEXT NOT NULL, 
	message TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	rerun_of TEXT, 
	runner TEXT NOT NULL, 
	heartbeat_at BIGINT, 
	is_cancel_requested BOOLEAN NOT NULL, 
	PRIMARY KEY (run_id)
);
INSERT INTO "runs" VALUES('20261127-010843-e0ee78','weekly','/tmp/project/pipeline.yaml','{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}','{"week":20}','{"cluster":"local","workers":2,"isolation":null}','succeeded','','root',1795741723438595,1795741723438595,1795741726139098,NULL,'',1795741726139593,0);
INSERT INTO "runs" VALUES('20261127-010846-345697','weekly','/tmp/project/pipeline.yaml','{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}','{"week":20}','{"cluster":"local","workers":2,"isolation":null}','succeeded','','root',1795741726173571,1795741726173571,1795741726184635,NULL,'',1795741726184981,0);
INSERT INTO "runs" VALUES('20261127-010846-c45f4c','weekly','/tmp/project/pipeline.yaml','{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":22},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}','{"week":22}','{"cluster":"local","workers":2,"isolation":null}','failed','failed: fail','root',1795741726195629,1795741726195629,1795741726968365,NULL,'',1795741726968592,0);
CREATE TABLE schedules (
	name TEXT NOT NULL, 
	pipeline TEXT NOT NULL, 
	pipeline_path TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	spec TEXT NOT NULL, 
	is_paused BOOLEAN NOT NULL, 
	paused_at BIGINT, 
	next_at BIGINT, 
	due_at BIGINT, 
	user_name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "schedules" VALUES('weekly.monday','weekly','pipeline.yaml','0 6 * * 1','Europe/Zurich','{"cron":"0 6 * * 1","timezone":"Europe/Zurich","parameters":{},"catch_up":"last","overlap":"skip","jitter_seconds":0.0,"start":"","end":"","is_paused":false,"queue":"","priority":0,"is_preemptible":false}',0,NULL,1796014800000000,1796014800000000,'root',1795741727021955,1795741727021955);
CREATE TABLE task_runs (
	run_id TEXT NOT NULL, 
	task TEXT NOT NULL, 
	name TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	cache_key TEXT NOT NULL, 
	source_run_id TEXT NOT NULL, 
	arguments TEXT NOT NULL, 
	results TEXT NOT NULL, 
	artifacts TEXT NOT NULL, 
	notebook TEXT NOT NULL, 
	error TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	cell INTEGER NOT NULL, 
	cells INTEGER NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	duration_seconds DOUBLE NOT NULL, 
	peak_memory_bytes INTEGER NOT NULL, 
	cpu_seconds DOUBLE, 
	cpus DOUBLE, 
	gpu_utilization DOUBLE, 
	PRIMARY KEY (run_id, task)
);
INSERT INTO "task_runs" VALUES('20261127-010843-e0ee78','pull','pull',0,'succeeded',1,'','sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9','','{"week":20}','{"count":20}','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}','23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c','{}','host:22295',3,3,1795741724775201,1795741725801565,1.00145424700167495757e+00,31051776,0.03,2.0,NULL);
INSERT INTO "task_runs" VALUES('20261127-010843-e0ee78','train[model=mean]','train',1,'succeeded',1,'','sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f','','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}','{"value":9.5}','{}','f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158','{}','host:22295',3,3,1795741725822734,1795741726043699,2.16236772997945081442e-01,41521152,4.99999999999999958366e-02,2.0,NULL);
INSERT INTO "task_runs" VALUES('20261127-010843-e0ee78','train[model=median]','train',2,'succeeded',1,'','sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b','','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}','{"value":9.5}','{}','bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce','{}','host:22295',3,3,1795741725825622,1795741726139098,3.03372750000562518835e-01,41897984,0.04,2.0,NULL);
INSERT INTO "task_runs" VALUES('20261127-010843-e0ee78','fail','fail',3,'skipped',0,'not when pull.count > 21 (pull.count = 20)','','','{}','{}','{}','','{}','',0,0,NULL,1795741726139098,0.0,0,NULL,NULL,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-345697','pull','pull',0,'cached',0,'','sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9','20261127-010843-e0ee78','{"week":20}','{"count":20}','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}','23a7f229fb24f02f9c31890071ba4e9fa9b7ebe1e4d23bda0c033b2080750f7c','{}','',0,0,NULL,1795741726177640,0.0,0,NULL,NULL,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-345697','train[model=mean]','train',1,'cached',0,'','sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f','20261127-010843-e0ee78','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}','{"value":9.5}','{}','f9bfec5450d009dd986bbdc06cc51292bb70d9ab398582043acc8713b67a5158','{}','',0,0,NULL,1795741726184595,0.0,0,NULL,NULL,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-345697','train[model=median]','train',2,'cached',0,'','sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b','20261127-010843-e0ee78','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}','{"value":9.5}','{}','bf4234e3405e8e8fc00a001bdc6d9b91be6b9487037a08e5f676d3020c7de7ce','{}','',0,0,NULL,1795741726184635,0.0,0,NULL,NULL,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-345697','fail','fail',3,'skipped',0,'not when pull.count > 21 (pull.count = 20)','','','{}','{}','{}','','{}','',0,0,NULL,1795741726184635,0.0,0,NULL,NULL,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-c45f4c','pull','pull',0,'succeeded',1,'','sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5','','{"week":22}','{"count":22}','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}','ccb952f9efe2c6e6200610344eeb336d8bf8f09ab01f53c30b9bcee8e125ee11','{}','host:22295',3,3,1795741726306035,1795741726417328,1.04078867996577173471e-01,28782592,0.03,2.0,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-c45f4c','train[model=mean]','train',1,'succeeded',1,'','sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6','','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"mean"}','{"value":10.5}','{}','fe3b0e39a5190d145d2f4f297fca46b442732a05c267785b89f95a5133bb87d1','{}','host:22295',3,3,1795741726454340,1795741726608567,1.42330795999441761523e-01,33722368,0.04,2.0,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-c45f4c','train[model=median]','train',2,'succeeded',1,'','sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe','','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"median"}','{"value":10.5}','{}','8f848cc6a5719d8a5f9fd183f40f14cfb5e069d77b8bd1388e97a6f7f111a2f8','{}','host:22295',3,3,1795741726468050,1795741726643344,1.64253955001186113804e-01,34373632,0.04,2.0,NULL);
INSERT INTO "task_runs" VALUES('20261127-010846-c45f4c','fail','fail',3,'failed',1,'ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero','sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6','','{}','{}','{}','9ac0d1e664423118d4d3adb47acb70b29ee262fe47d1eb8ead7d4b16d2c3cf95','{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}','host:22295',1,1,1795741726663943,1795741726968365,2.85484302003169432282e-01,12570624,6.99999999999999927835e-02,2.0,NULL);
CREATE INDEX ix_runs_created_at_run_id_pipeline_state_user_name ON runs (created_at, run_id, pipeline, state, user_name);
CREATE INDEX ix_runs_created_at_run_id ON runs (created_at, run_id);
CREATE INDEX ix_runs_pipeline_created_at_run_id ON runs (pipeline, created_at, run_id);
CREATE INDEX ix_runs_state_created_at_run_id ON runs (state, created_at, run_id);
CREATE INDEX ix_task_runs_state_run_id ON task_runs (state, run_id);
CREATE INDEX ix_task_runs_name_started_at ON task_runs (name, started_at);
CREATE INDEX ix_artifacts_name_created_at ON artifacts (name, created_at);
CREATE INDEX ix_artifacts_digest ON artifacts (digest);
CREATE INDEX ix_cache_entries_pipeline_task_created_at_cache_key ON cache_entries (pipeline, task, created_at, cache_key);
CREATE INDEX ix_cache_entries_run_id ON cache_entries (run_id);
CREATE INDEX ix_run_events_run_id_seq ON run_events (run_id, seq);
CREATE INDEX ix_registered_models_folded ON registered_models (folded);
CREATE INDEX ix_registered_models_updated_at_name ON registered_models (updated_at, name);
CREATE INDEX ix_model_versions_run_id ON model_versions (run_id);
CREATE INDEX ix_model_versions_created_at_name_version ON model_versions (created_at, name, version);
CREATE INDEX ix_alias_moves_name_alias_seq ON alias_moves (name, alias, seq);
CREATE INDEX ix_lineage_links_target_kind_target ON lineage_links (target_kind, target);
CREATE INDEX ix_feature_definitions_folded ON feature_definitions (folded);
CREATE INDEX ix_feature_definitions_name_registered_at ON feature_definitions (name, registered_at);
CREATE INDEX ix_materializations_view_version_created_at ON materializations ("view", version, created_at);
CREATE INDEX ix_feature_parts_part_id ON feature_parts (part_id);
CREATE INDEX ix_feature_parts_view_version_seq ON feature_parts ("view", version, seq);
CREATE INDEX ix_schedules_due_at ON schedules (due_at);
CREATE INDEX ix_fires_run_id ON fires (run_id);
CREATE INDEX ix_fires_state_created_at ON fires (state, created_at);
CREATE INDEX ix_images_source ON images (source);
CREATE INDEX ix_deployments_model ON deployments (model);
CREATE INDEX ix_queue_entries_state_since_at ON queue_entries (state, since_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('run_events',49);
INSERT INTO "sqlite_sequence" VALUES('alias_moves',2);
INSERT INTO "sqlite_sequence" VALUES('feature_parts',2);
COMMIT;
