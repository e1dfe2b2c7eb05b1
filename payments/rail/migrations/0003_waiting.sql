-- So that those that have no end yet are counted quickly, of one wallet and of all.
create index rail_transfer_waiting on rail_transfer (wallet, kind) where state in (1, 2, 3, 5);
create index rail_transfer_oldest on rail_transfer (rail, kind, created) where state in (1, 2, 3, 5);
