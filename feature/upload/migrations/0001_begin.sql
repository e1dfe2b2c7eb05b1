-- One row for each file that an account was given a place for. kept is 0 until its bytes are on disk. A row without an account (0) has
-- lost it, and its bytes are to be deleted.
create table upload_file (
    token text not null primary key,
    account bigint not null,
    name text not null,
    type text not null,
    size bigint not null,
    created bigint not null,
    kept bigint not null,
    digest text not null
);
create index upload_file_account on upload_file (account, created);
create index upload_file_created on upload_file (created);
