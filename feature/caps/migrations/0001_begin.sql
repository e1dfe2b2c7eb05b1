-- What apps can do, by the hash that they say it with; checked before it was kept.
create table caps_known (
    hash text primary key, -- algorithm:base64
    id bigint not null, -- when, in microseconds
    features text not null -- a JSON list
);
