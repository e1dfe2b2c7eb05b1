create table last_seen (
    account bigint primary key,
    at bigint not null, -- when the last session ended, in microseconds since 1970; 0 for never
    status text not null, -- what it said then
    hidden boolean not null -- nobody is told
);
