-- Jobs are looked for kind by kind, so that many of one kind hold up no other.
create index jobs_job_kind on jobs_job (kind, due);
drop index jobs_job_due;
