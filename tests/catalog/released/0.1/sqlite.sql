BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE alias_moves (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	alias TEXT NOT NULL, 
	old_version INTEGER, 
	new_version INTEGER, 
	user_name TEXT NOT NULL, 
	at BIGINT NOT NULL
);
INSERT INTO "alias_moves" VALUES(1,'delay','champion',NULL,1,'ada',1795727593954835);
INSERT INTO "alias_moves" VALUES(2,'delay','champion',1,2,'ada',1795727593956875);
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
INSERT INTO "artifacts" VALUES('20261126-211312-92efd8','pull','rows','blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet','255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df','parquet',1670,'{"rows":20,"columns":1,"column_names":["x"]}',1795727593323277);
INSERT INTO "artifacts" VALUES('20261126-211313-5a69e0','pull','rows','blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet','e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28','parquet',1675,'{"rows":22,"columns":1,"column_names":["x"]}',1795727593640928);
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
	PRIMARY KEY (run_id, task, attempt)
);
INSERT INTO "attempts" VALUES('20261126-211312-92efd8','pull',1,'succeeded','host:4251','','{}','8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b',1795727593120708,1795727593323277,1.83638159000111045315e-01,30789632);
INSERT INTO "attempts" VALUES('20261126-211312-92efd8','train[model=mean]',1,'succeeded','host:4251','','{}','bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3',1795727593344394,1795727593454922,1.07355045001895632594e-01,41005056);
INSERT INTO "attempts" VALUES('20261126-211312-92efd8','train[model=median]',1,'succeeded','host:4251','','{}','12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6',1795727593353238,1795727593508373,1.50158085998555179685e-01,41668608);
INSERT INTO "attempts" VALUES('20261126-211313-5a69e0','pull',1,'succeeded','host:4251','','{}','9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a',1795727593593157,1795727593640928,3.70942449990252498537e-02,28532736);
INSERT INTO "attempts" VALUES('20261126-211313-5a69e0','train[model=mean]',1,'succeeded','host:4251','','{}','3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687',1795727593660459,1795727593752744,8.5875717002636520192e-02,33480704);
INSERT INTO "attempts" VALUES('20261126-211313-5a69e0','train[model=median]',1,'succeeded','host:4251','','{}','a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778',1795727593668946,1795727593725048,5.11473740007204469293e-02,34156544);
INSERT INTO "attempts" VALUES('20261126-211313-5a69e0','fail',1,'failed','host:4251','','{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}','1d1c138251231e063b2f567413e152ae1e7e895e78850b49bef839eea658f76c',1795727593768060,1795727593858135,8.02272440014348831027e-02,12468224);
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
INSERT INTO "cache_entries" VALUES('sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9','weekly','pull','20261126-211312-92efd8','{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"20"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}','{"count":20}','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}','8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b',0,1.83638159000111045315e-01,1795727593323277);
INSERT INTO "cache_entries" VALUES('sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f','weekly','train[model=mean]','20261126-211312-92efd8','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":9.5}','{}','bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3',0,1.07355045001895632594e-01,1795727593454922);
INSERT INTO "cache_entries" VALUES('sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b','weekly','train[model=median]','20261126-211312-92efd8','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":9.5}','{}','12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6',0,1.50158085998555179685e-01,1795727593508373);
INSERT INTO "cache_entries" VALUES('sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5','weekly','pull','20261126-211313-5a69e0','{"code":{"pull.ipynb":"551475afb3e47b1bdff17b9a70dd44b7e1b56c1b20727de14d1421d7ac289d3c"},"arguments":{"week":"22"},"inputs":{},"files":{},"modules":{},"distributions":{"pandas":"3.1.1"},"kernel":"python3 3.11.7","env":{}}','{"count":22}','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}','9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a',0,3.70942449990252498537e-02,1795727593640928);
INSERT INTO "cache_entries" VALUES('sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe','weekly','train[model=median]','20261126-211313-5a69e0','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"median\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":10.5}','{}','a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778',0,5.11473740007204469293e-02,1795727593725048);
INSERT INTO "cache_entries" VALUES('sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6','weekly','train[model=mean]','20261126-211313-5a69e0','{"code":{"train.ipynb":"5c83e60ecda720efb735768fd09e8a32f63ea5b50ec46627d83d24dcba541d6c"},"arguments":{"model":"\"mean\""},"inputs":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"files":{},"modules":{},"distributions":{},"kernel":"python3 3.11.7","env":{}}','{"value":10.5}','{}','3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687',0,8.5875717002636520192e-02,1795727593752744);
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
INSERT INTO "feature_definitions" VALUES('entity','user','','user','{"name":"user","join_keys":{"user":"int64"},"description":"","owner":"","tags":{}}','[]','','','{}','','ada',1795727593975929,1795727593975929);
INSERT INTO "feature_definitions" VALUES('view','spent','4032c34fbc3f5af4','spent','{"name":"spent","entities":["user"],"sql":"SELECT * FROM ''spent.parquet''","function":null,"database":"","schema":{"amount":"float64"},"event_timestamp":"event_timestamp","created_timestamp":"","time_zone":"","ttl":172800000000,"aggregations":[],"expectations":[],"description":"","owner":"","tags":{},"version":"4032c34fbc3f5af4"}','[]','','','{}','','ada',1795727593975929,1795727593975929);
INSERT INTO "feature_definitions" VALUES('service','model','e2f2a478060880cd','model','{"name":"model","features":["spent@4032c34fbc3f5af4:amount"],"description":"","owner":"","tags":{},"version":"e2f2a478060880cd"}','[]','','','{}','','ada',1795727594212445,1795727594212445);
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
INSERT INTO "feature_parts" VALUES(1,'817b7a4a33804723a6ab6f14c7350fad','spent','4032c34fbc3f5af4','4032c34fbc3f5af4/6e4aaa4b3dda476389dc18a61213ada9.parquet','8b0d6cb61c784551b128def974b41946',3,733,1772258400000000,1772330400000000,2,1,1795727594254010);
INSERT INTO "feature_parts" VALUES(2,'600813da091848538159db0bccc962f4','spent','4032c34fbc3f5af4','4032c34fbc3f5af4/4ff798e8b4ef4c208cd2c18c5993eff3.parquet','',1,1491,1772366400000000,1772366400000000,0,1,1795727594319215);
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
INSERT INTO "lineage_links" VALUES('data','sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a','model','delay/1',1795727593929559);
INSERT INTO "lineage_links" VALUES('data','sha256:8dc19307fd221c15144308a50b53ace14b3e71947e7c796c4c449cca06bd8c8a','model','delay/2',1795727593949908);
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
INSERT INTO "materializations" VALUES('8b0d6cb61c784551b128def974b41946','spent','4032c34fbc3f5af4','succeeded',NULL,1772366400000000,3,2,'{"rows":3,"features":{"amount":{"dtype":"float64","nulls":0,"min":1.5,"max":3.5,"mean":2.5,"std":1.0,"edges":[1.5,2.5],"shares":[0.3333333333333333,0.3333333333333333,0.3333333333333333],"quantiles":[1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,2.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5,3.5]}}}','[]','','',1795727594217357,1795727594304619);
CREATE TABLE model_aliases (
	name TEXT NOT NULL, 
	alias TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	is_protected BOOLEAN NOT NULL, 
	user_name TEXT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (name, alias)
);
INSERT INTO "model_aliases" VALUES('delay','champion',2,0,'ada',1795727593956798);
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
INSERT INTO "model_versions" VALUES('delay',1,'cbf1676f207236e0cb18b827691ed9a9b3adaf273f69b509fa3a8dfc69373823','builtins.dict','safetensors','','{"auc":0.25}','{"region":"eu"}','["42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","75065dcbd539fe6849843cc72e154066cc2d0be93eab5cee916b37fec7f59bfd","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","cbf1676f207236e0cb18b827691ed9a9b3adaf273f69b509fa3a8dfc69373823","cdf76ab648e0c1ed11456863dcf1d6c8cd1138745faf4a82edc479e5bb016838"]',751,'quick','','','','ada',1795727593925898);
INSERT INTO "model_versions" VALUES('delay',2,'41852bc445d8120ccf36e112fb7f9e86aa5fb8b112fd5f681aebe9e602e36921','builtins.dict','safetensors','','{"auc":0.5}','{"region":"eu"}','["41852bc445d8120ccf36e112fb7f9e86aa5fb8b112fd5f681aebe9e602e36921","42e174b4bd241b38f9938c4166f7d2cdb655913966f886f1693f9f44d3720399","7ac1c4d50c624405f1dc113be8f44f30f5db3717a6d708ae51cd806f41d801c2","8ea58766851c9231701e472fd3a96ede496b841b23af911948974775dc929940","965d18878cf7a9afac6c14733037468ff3124f953b8f428bb1c1cf30d92b2585"]',751,'quick','','','','ada',1795727593948698);
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
INSERT INTO "quotas" VALUES('settings','','{"operators":[],"aging_minutes":10.0,"half_life_days":7.0,"patience_minutes":60.0}','ada',1795727593886748);
INSERT INTO "quotas" VALUES('task','','{"cpu":1.0}','ada',1795727593886748);
INSERT INTO "quotas" VALUES('prices','','{}','ada',1795727593886748);
INSERT INTO "quotas" VALUES('all','','{}','ada',1795727593886748);
INSERT INTO "quotas" VALUES('users','ada','{"runs":3,"cpu":4.0}','ada',1795727593886748);
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
INSERT INTO "registered_models" VALUES('delay','delay','','{}',2,0,'ada',1795727593925898,1795727593955959);
CREATE TABLE run_events (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	body TEXT NOT NULL
);
INSERT INTO "run_events" VALUES(1,'20261126-211312-92efd8','RunStarted',1795727592509454,'{}');
INSERT INTO "run_events" VALUES(2,'20261126-211312-92efd8','CacheMissed',1795727592519415,'{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","reason":""}');
INSERT INTO "run_events" VALUES(3,'20261126-211312-92efd8','AttemptStarted',1795727593120708,'{"task":"pull","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(4,'20261126-211312-92efd8','TaskStateChanged',1795727593120708,'{"task":"pull","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(5,'20261126-211312-92efd8','AttemptSucceeded',1795727593323277,'{"task":"pull","attempt":1,"results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b","duration_seconds":0.18363815900011105,"peak_memory_bytes":30789632}');
INSERT INTO "run_events" VALUES(6,'20261126-211312-92efd8','TaskStateChanged',1795727593323277,'{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(7,'20261126-211312-92efd8','CacheMissed',1795727593333057,'{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","reason":""}');
INSERT INTO "run_events" VALUES(8,'20261126-211312-92efd8','CacheMissed',1795727593333742,'{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","reason":""}');
INSERT INTO "run_events" VALUES(9,'20261126-211312-92efd8','AttemptStarted',1795727593344394,'{"task":"train[model=mean]","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(10,'20261126-211312-92efd8','TaskStateChanged',1795727593344394,'{"task":"train[model=mean]","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(11,'20261126-211312-92efd8','AttemptStarted',1795727593353238,'{"task":"train[model=median]","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(12,'20261126-211312-92efd8','TaskStateChanged',1795727593353238,'{"task":"train[model=median]","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(13,'20261126-211312-92efd8','AttemptSucceeded',1795727593454922,'{"task":"train[model=mean]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3","duration_seconds":0.10735504500189563,"peak_memory_bytes":41005056}');
INSERT INTO "run_events" VALUES(14,'20261126-211312-92efd8','TaskStateChanged',1795727593454922,'{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(15,'20261126-211312-92efd8','AttemptSucceeded',1795727593508373,'{"task":"train[model=median]","attempt":1,"results":{"value":9.5},"artifacts":{},"notebook":"12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6","duration_seconds":0.15015808599855518,"peak_memory_bytes":41668608}');
INSERT INTO "run_events" VALUES(16,'20261126-211312-92efd8','TaskStateChanged',1795727593508373,'{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(17,'20261126-211312-92efd8','TaskStateChanged',1795727593508373,'{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO "run_events" VALUES(18,'20261126-211312-92efd8','RunFinished',1795727593508373,'{"state":"succeeded","message":""}');
INSERT INTO "run_events" VALUES(19,'20261126-211313-ab5ebd','RunStarted',1795727593528513,'{}');
INSERT INTO "run_events" VALUES(20,'20261126-211313-ab5ebd','CacheHit',1795727593530693,'{"task":"pull","cache_key":"sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9","source_run_id":"20261126-211312-92efd8","results":{"count":20},"artifacts":{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"},"notebook":"8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b","reason":""}');
INSERT INTO "run_events" VALUES(21,'20261126-211313-ab5ebd','TaskStateChanged',1795727593530693,'{"task":"pull","state":"cached","attempt":0,"reason":""}');
INSERT INTO "run_events" VALUES(22,'20261126-211313-ab5ebd','CacheHit',1795727593533294,'{"task":"train[model=mean]","cache_key":"sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f","source_run_id":"20261126-211312-92efd8","results":{"value":9.5},"artifacts":{},"notebook":"bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3","reason":""}');
INSERT INTO "run_events" VALUES(23,'20261126-211313-ab5ebd','TaskStateChanged',1795727593533294,'{"task":"train[model=mean]","state":"cached","attempt":0,"reason":""}');
INSERT INTO "run_events" VALUES(24,'20261126-211313-ab5ebd','CacheHit',1795727593533326,'{"task":"train[model=median]","cache_key":"sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b","source_run_id":"20261126-211312-92efd8","results":{"value":9.5},"artifacts":{},"notebook":"12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6","reason":""}');
INSERT INTO "run_events" VALUES(25,'20261126-211313-ab5ebd','TaskStateChanged',1795727593533326,'{"task":"train[model=median]","state":"cached","attempt":0,"reason":""}');
INSERT INTO "run_events" VALUES(26,'20261126-211313-ab5ebd','TaskStateChanged',1795727593533326,'{"task":"fail","state":"skipped","attempt":0,"reason":"not when pull.count > 21 (pull.count = 20)"}');
INSERT INTO "run_events" VALUES(27,'20261126-211313-ab5ebd','RunFinished',1795727593533326,'{"state":"succeeded","message":""}');
INSERT INTO "run_events" VALUES(28,'20261126-211313-5a69e0','RunStarted',1795727593539524,'{}');
INSERT INTO "run_events" VALUES(29,'20261126-211313-5a69e0','CacheMissed',1795727593542750,'{"task":"pull","cache_key":"sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5","reason":"argument week: 20 \u2192 22"}');
INSERT INTO "run_events" VALUES(30,'20261126-211313-5a69e0','AttemptStarted',1795727593593157,'{"task":"pull","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(31,'20261126-211313-5a69e0','TaskStateChanged',1795727593593157,'{"task":"pull","state":"running","attempt":1,"reason":"argument week: 20 \u2192 22"}');
INSERT INTO "run_events" VALUES(32,'20261126-211313-5a69e0','AttemptSucceeded',1795727593640928,'{"task":"pull","attempt":1,"results":{"count":22},"artifacts":{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"},"notebook":"9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a","duration_seconds":0.03709424499902525,"peak_memory_bytes":28532736}');
INSERT INTO "run_events" VALUES(33,'20261126-211313-5a69e0','TaskStateChanged',1795727593640928,'{"task":"pull","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(34,'20261126-211313-5a69e0','CacheMissed',1795727593647530,'{"task":"train[model=mean]","cache_key":"sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6","reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(35,'20261126-211313-5a69e0','CacheMissed',1795727593648643,'{"task":"train[model=median]","cache_key":"sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe","reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(36,'20261126-211313-5a69e0','AttemptStarted',1795727593660459,'{"task":"train[model=mean]","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(37,'20261126-211313-5a69e0','TaskStateChanged',1795727593660459,'{"task":"train[model=mean]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(38,'20261126-211313-5a69e0','AttemptStarted',1795727593668946,'{"task":"train[model=median]","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(39,'20261126-211313-5a69e0','TaskStateChanged',1795727593668946,'{"task":"train[model=median]","state":"running","attempt":1,"reason":"input rows changed"}');
INSERT INTO "run_events" VALUES(40,'20261126-211313-5a69e0','AttemptSucceeded',1795727593725048,'{"task":"train[model=median]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778","duration_seconds":0.05114737400072045,"peak_memory_bytes":34156544}');
INSERT INTO "run_events" VALUES(41,'20261126-211313-5a69e0','TaskStateChanged',1795727593725048,'{"task":"train[model=median]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(42,'20261126-211313-5a69e0','AttemptSucceeded',1795727593752744,'{"task":"train[model=mean]","attempt":1,"results":{"value":10.5},"artifacts":{},"notebook":"3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687","duration_seconds":0.08587571700263652,"peak_memory_bytes":33480704}');
INSERT INTO "run_events" VALUES(43,'20261126-211313-5a69e0','TaskStateChanged',1795727593752744,'{"task":"train[model=mean]","state":"succeeded","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(44,'20261126-211313-5a69e0','CacheMissed',1795727593755687,'{"task":"fail","cache_key":"sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6","reason":""}');
INSERT INTO "run_events" VALUES(45,'20261126-211313-5a69e0','AttemptStarted',1795727593768060,'{"task":"fail","attempt":1,"worker":"host:4251"}');
INSERT INTO "run_events" VALUES(46,'20261126-211313-5a69e0','TaskStateChanged',1795727593768060,'{"task":"fail","state":"running","attempt":1,"reason":""}');
INSERT INTO "run_events" VALUES(47,'20261126-211313-5a69e0','AttemptFailed',1795727593858135,'{"task":"fail","attempt":1,"error":{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1},"error_class":"ZeroDivisionError","notebook":"1d1c138251231e063b2f567413e152ae1e7e895e78850b49bef839eea658f76c","duration_seconds":0.08022724400143488,"peak_memory_bytes":12468224}');
INSERT INTO "run_events" VALUES(48,'20261126-211313-5a69e0','TaskStateChanged',1795727593858135,'{"task":"fail","state":"failed","attempt":1,"reason":"ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero"}');
INSERT INTO "run_events" VALUES(49,'20261126-211313-5a69e0','RunFinished',1795727593858135,'{"state":"failed","message":"failed: fail"}');
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
INSERT INTO "runs" VALUES('20261126-211312-92efd8','weekly','/tmp/project/pipeline.yaml','{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}','{"week":20}','{"cluster":"local","workers":2,"isolation":null}','succeeded','','root',1795727592503135,1795727592503135,1795727593508373,NULL,'',1795727593508797,0);
INSERT INTO "runs" VALUES('20261126-211313-ab5ebd','weekly','/tmp/project/pipeline.yaml','{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":20},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}','{"week":20}','{"cluster":"local","workers":2,"isolation":null}','succeeded','','root',1795727593526715,1795727593526715,1795727593533326,NULL,'',1795727593533644,0);
INSERT INTO "runs" VALUES('20261126-211313-5a69e0','weekly','/tmp/project/pipeline.yaml','{"version":1,"pipeline":"weekly","path":"pipeline.yaml","arguments":{"week":22},"reuse":[],"force":[],"tasks":[{"key":"pull","name":"pull","notebook":"pull.ipynb","parameters":{"week":"${params.week}"}},{"key":"train[model=mean]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"mean"}},{"key":"train[model=median]","name":"train","notebook":"train.ipynb","parameters":{"rows":"${tasks.pull.artifacts.rows}","model":"${matrix.model}"},"needs":["pull"],"matrix":{"model":"median"}},{"key":"fail","name":"fail","notebook":"fail.ipynb","when":"${tasks.pull.results.count} > 21","needs":["train[model=mean]","train[model=median]","pull"]}]}','{"week":22}','{"cluster":"local","workers":2,"isolation":null}','failed','failed: fail','root',1795727593538365,1795727593538365,1795727593858135,NULL,'',1795727593858373,0);
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
INSERT INTO "schedules" VALUES('weekly.monday','weekly','pipeline.yaml','0 6 * * 1','Europe/Zurich','{"cron":"0 6 * * 1","timezone":"Europe/Zurich","parameters":{},"catch_up":"last","overlap":"skip","jitter_seconds":0.0,"start":"","end":"","is_paused":false,"queue":"","priority":0,"is_preemptible":false}',0,NULL,1796014800000000,1796014800000000,'root',1795727593878114,1795727593878114);
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
	PRIMARY KEY (run_id, task)
);
INSERT INTO "task_runs" VALUES('20261126-211312-92efd8','pull','pull',0,'succeeded',1,'','sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9','','{"week":20}','{"count":20}','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}','8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b','{}','host:4251',3,3,1795727593120708,1795727593323277,1.83638159000111045315e-01,30789632);
INSERT INTO "task_runs" VALUES('20261126-211312-92efd8','train[model=mean]','train',1,'succeeded',1,'','sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f','','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}','{"value":9.5}','{}','bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3','{}','host:4251',3,3,1795727593344394,1795727593454922,1.07355045001895632594e-01,41005056);
INSERT INTO "task_runs" VALUES('20261126-211312-92efd8','train[model=median]','train',2,'succeeded',1,'','sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b','','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}','{"value":9.5}','{}','12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6','{}','host:4251',3,3,1795727593353238,1795727593508373,1.50158085998555179685e-01,41668608);
INSERT INTO "task_runs" VALUES('20261126-211312-92efd8','fail','fail',3,'skipped',0,'not when pull.count > 21 (pull.count = 20)','','','{}','{}','{}','','{}','',0,0,NULL,1795727593508373,0.0,0);
INSERT INTO "task_runs" VALUES('20261126-211313-ab5ebd','pull','pull',0,'cached',0,'','sha256:d9552af1a02274cbc328bec30d2c97d4b38f5a561b4a6bc8ab3e0795c4eb80f9','20261126-211312-92efd8','{"week":20}','{"count":20}','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet"}','8df9b5a3526efba43aee159cff4ab25e2f7002d6fa7fc6f1b0f159b29a019c5b','{}','',0,0,NULL,1795727593530693,0.0,0);
INSERT INTO "task_runs" VALUES('20261126-211313-ab5ebd','train[model=mean]','train',1,'cached',0,'','sha256:57efffc2bda9be021d56d7f5cd16bc6f0c45dcd00d7b50e63ab32517994e3f8f','20261126-211312-92efd8','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"mean"}','{"value":9.5}','{}','bf6034956af1f600bf484b0359d816c242e21e328fa1aa37352d55f236aa8ea3','{}','',0,0,NULL,1795727593533294,0.0,0);
INSERT INTO "task_runs" VALUES('20261126-211313-ab5ebd','train[model=median]','train',2,'cached',0,'','sha256:2c182e6b1008b11ab693c390f4728f2a5bad3ceb05e690d461f77dbaf0cebc3b','20261126-211312-92efd8','{"rows":"blob://sha256/255a7c8c1f3f7af5373050018f951c0de0be8bd45c5364409d70b12e014107df/rows.parquet","model":"median"}','{"value":9.5}','{}','12baeced939e568ef338cc15bf103aabde162089557847c47079f54716d4fec6','{}','',0,0,NULL,1795727593533326,0.0,0);
INSERT INTO "task_runs" VALUES('20261126-211313-ab5ebd','fail','fail',3,'skipped',0,'not when pull.count > 21 (pull.count = 20)','','','{}','{}','{}','','{}','',0,0,NULL,1795727593533326,0.0,0);
INSERT INTO "task_runs" VALUES('20261126-211313-5a69e0','pull','pull',0,'succeeded',1,'','sha256:e4db8d42edc950d1b1fa58a1e89a406a9938336e8104905f0aa4d8ed05b937e5','','{"week":22}','{"count":22}','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet"}','9ad8ca69a8ca82a48d486ee2ebd2234ceaeef7e1515aea81d4cdfcbccc34ed9a','{}','host:4251',3,3,1795727593593157,1795727593640928,3.70942449990252498537e-02,28532736);
INSERT INTO "task_runs" VALUES('20261126-211313-5a69e0','train[model=mean]','train',1,'succeeded',1,'','sha256:54651c42ef0742383322e9330f320829b41dc79f858037f2f227c7ca029c1bf6','','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"mean"}','{"value":10.5}','{}','3303d69ce6419ac18c162c29d15e0afc2697a6087b052be732f23cbd8e41a687','{}','host:4251',3,3,1795727593660459,1795727593752744,8.5875717002636520192e-02,33480704);
INSERT INTO "task_runs" VALUES('20261126-211313-5a69e0','train[model=median]','train',2,'succeeded',1,'','sha256:6d9fad6d8481f0b28a97d780a83cea20eeb07623671cfc50dac540e9a76daffe','','{"rows":"blob://sha256/e8b380adcd3c543f19befac53a14a92655051d70e39d1f894b320087ba8fad28/rows.parquet","model":"median"}','{"value":10.5}','{}','a8c29ede59556fbee54ac1459488b53fcf5b376a0a975169e1b5a5937c24c778','{}','host:4251',3,3,1795727593668946,1795727593725048,5.11473740007204469293e-02,34156544);
INSERT INTO "task_runs" VALUES('20261126-211313-5a69e0','fail','fail',3,'failed',1,'ZeroDivisionError: cell 2 raised ZeroDivisionError: division by zero','sha256:0173a4150f99c9815927a4672b655bd86967e36a2935c75daa4e53eff6069ee6','','{}','{}','{}','1d1c138251231e063b2f567413e152ae1e7e895e78850b49bef839eea658f76c','{"code":"notebook_failed","message":"cell 2 raised ZeroDivisionError: division by zero","hint":"","ename":"ZeroDivisionError","evalue":"division by zero","traceback":"\u001b[31m---------------------------------------------------------------------------\u001b[39m\n\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)\n\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n\n\u001b[31mZeroDivisionError\u001b[39m: division by zero","cell":1}','host:4251',1,1,1795727593768060,1795727593858135,8.02272440014348831027e-02,12468224);
CREATE INDEX ix_runs_created_at_run_id_pipeline_state_user_name ON runs (created_at, run_id, pipeline, state, user_name);
CREATE INDEX ix_runs_created_at_run_id ON runs (created_at, run_id);
CREATE INDEX ix_runs_state_created_at_run_id ON runs (state, created_at, run_id);
CREATE INDEX ix_runs_pipeline_created_at_run_id ON runs (pipeline, created_at, run_id);
CREATE INDEX ix_task_runs_state_run_id ON task_runs (state, run_id);
CREATE INDEX ix_task_runs_name_started_at ON task_runs (name, started_at);
CREATE INDEX ix_artifacts_digest ON artifacts (digest);
CREATE INDEX ix_artifacts_name_created_at ON artifacts (name, created_at);
CREATE INDEX ix_cache_entries_pipeline_task_created_at_cache_key ON cache_entries (pipeline, task, created_at, cache_key);
CREATE INDEX ix_cache_entries_run_id ON cache_entries (run_id);
CREATE INDEX ix_run_events_run_id_seq ON run_events (run_id, seq);
CREATE INDEX ix_registered_models_updated_at_name ON registered_models (updated_at, name);
CREATE INDEX ix_registered_models_folded ON registered_models (folded);
CREATE INDEX ix_model_versions_created_at_name_version ON model_versions (created_at, name, version);
CREATE INDEX ix_model_versions_run_id ON model_versions (run_id);
CREATE INDEX ix_alias_moves_name_alias_seq ON alias_moves (name, alias, seq);
CREATE INDEX ix_lineage_links_target_kind_target ON lineage_links (target_kind, target);
CREATE INDEX ix_feature_definitions_name_registered_at ON feature_definitions (name, registered_at);
CREATE INDEX ix_feature_definitions_folded ON feature_definitions (folded);
CREATE INDEX ix_materializations_view_version_created_at ON materializations ("view", version, created_at);
CREATE INDEX ix_feature_parts_view_version_seq ON feature_parts ("view", version, seq);
CREATE INDEX ix_feature_parts_part_id ON feature_parts (part_id);
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
