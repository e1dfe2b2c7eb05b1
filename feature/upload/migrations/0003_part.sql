-- One row for each file of which a part is here: blob is the key of its bytes, size how many of them are surely on disk, updated when that was.
create table upload_part (
    token text not null primary key,
    blob text not null,
    size bigint not null,
    updated bigint not null
);
create index upload_part_updated on upload_part (updated);
