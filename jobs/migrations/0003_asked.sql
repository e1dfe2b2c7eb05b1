-- When a job was enqueued last: one that is enqueued while it is being done is done once more.
alter table jobs_job add column asked bigint not null default 0;
