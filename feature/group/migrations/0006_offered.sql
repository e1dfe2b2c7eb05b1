-- What somebody is invited to become, as an affiliation; 0 for who is not invited. Until they say so their affiliation is 0.
alter table group_member add column offered bigint not null default 0;
