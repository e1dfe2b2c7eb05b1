-- What somebody has proposed to be said about a transfer that is unknown, until somebody else approves it. Kept afterwards.
create table rail_verdict (
    id bigint primary key, -- when, UTC microseconds
    transfer text not null,
    state bigint not null, -- 4 rejected, 6 settled
    amount bigint not null, -- that was moved, in minor units
    proposer text not null,
    why text not null,
    approver text not null, -- empty while nobody has
    decided bigint not null -- 0 while it is open
);
create index rail_verdict_transfer on rail_verdict (transfer, id);
create index rail_verdict_open on rail_verdict (id) where decided = 0;
