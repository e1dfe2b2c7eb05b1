-- Transfers with networks outside, each where it stands now. number is the order in which they were begun (UTC microseconds).
create table rail_transfer (
    id text primary key, -- chosen by who asked
    number bigint not null,
    rail text not null,
    kind bigint not null, -- 1 cash-in, 2 cash-out, 3 refund
    state bigint not null, -- 1 created, 2 submitted, 3 accepted, 4 rejected, 5 unknown, 6 settled, 7 reversed
    wallet text not null, -- account of the ledger
    address text not null, -- in the network
    amount bigint not null, -- that was asked for, in minor units
    unit text not null,
    fee bigint not null, -- that the wallet pays besides, to fee_to
    fee_to text not null,
    target text not null, -- the cash-in that a refund gives back
    reference text not null, -- the network's name for it
    go_kind text not null, -- what the person does next: go, show, wait
    go_value text not null,
    why text not null,
    moved bigint not null, -- that the network has settled
    returned bigint not null, -- of that, what it has taken back
    owed bigint not null, -- of what moved, what no wallet has paid
    cost bigint not null, -- that the network took for itself
    sequence bigint not null, -- how often something was booked
    hold text not null, -- id of the hold in the ledger, empty when there is none
    held_until bigint not null,
    booked text not null, -- id of what settled it in the ledger
    created bigint not null,
    changed bigint not null,
    sent bigint not null, -- when it was sent first, 0 if it was not
    unknown_since bigint not null, -- 0 while its state is known
    settled_at bigint not null -- by the network's clock
);
create index rail_transfer_state on rail_transfer (state, number);
create index rail_transfer_number on rail_transfer (number);
create index rail_transfer_reference on rail_transfer (rail, reference) where reference <> '';
create index rail_transfer_target on rail_transfer (target) where target <> '';
create index rail_transfer_settled on rail_transfer (rail, settled_at) where settled_at > 0;
create index rail_transfer_unknown on rail_transfer (unknown_since) where unknown_since > 0;

-- Every state that a transfer has been in. Never changed.
create table rail_step (
    id bigint primary key, -- when, UTC microseconds
    transfer text not null,
    state bigint not null,
    why text not null
);
create index rail_step_transfer on rail_step (transfer, id);

-- What networks have told us, as it came.
create table rail_event (
    id bigint primary key, -- when, UTC microseconds
    rail text not null,
    event text not null, -- the network's name for it, or the hash of the body
    body bytea not null
);
create unique index rail_event_event on rail_event (rail, event);

-- Comparisons with a network's own list.
create table rail_report (
    id bigint primary key, -- when, UTC microseconds
    rail text not null,
    since bigint not null,
    until bigint not null,
    lines bigint not null, -- of the network
    differences bigint not null
);
create index rail_report_rail on rail_report (rail, id);

-- What a comparison has found.
create table rail_difference (
    id bigint primary key,
    report bigint not null,
    kind bigint not null, -- 1 missing here, 2 missing there, 3 other amount, 4 other state
    transfer text not null, -- ours, empty for none
    reference text not null,
    here bigint not null, -- minor units
    there bigint not null,
    unit text not null,
    note text not null
);
create index rail_difference_report on rail_difference (report, id);
