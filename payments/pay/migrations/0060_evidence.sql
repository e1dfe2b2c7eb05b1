-- What a file that is shown in a dispute is called, and how large it is.
alter table pay_evidence add column name text not null default '';
alter table pay_evidence add column size bigint not null default 0; -- bytes, 0 where it is not known
