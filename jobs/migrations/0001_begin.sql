-- One row for each piece of work that must still be done. name keeps a second one of the same kind and name from being added.
create table jobs_job (
    id bigint not null primary key,
    kind text not null,
    name text not null,
    due bigint not null,
    attempts bigint not null,
    payload text not null
);
create unique index jobs_job_name on jobs_job (kind, name);
create index jobs_job_due on jobs_job (due);
