-- +goose Up
create table c2s_secret (
	id bigint primary key,
	secret bytea not null
);
create table c2s_token (
	account bigint not null,
	client text not null,
	fresh boolean not null,
	mechanism text not null,
	secret bytea not null,
	count bigint not null,
	created bigint not null,
	expires bigint not null,
	used bigint not null,
	software text not null,
	device text not null,
	primary key (account, client, fresh)
);
