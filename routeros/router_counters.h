// The counters of a router.
#pragma once

#include <cstdint>

#include "matchers/counter_table.h"

namespace steer::routeros {

//    name, what was counted
#define STEER_ROUTER_COUNTERS(X)                                                                 \
    X(connection_attempts, "connection attempts")                                                \
    X(connects, "successful logins")                                                             \
    X(disconnects, "sessions that ended")                                                        \
    X(login_failures, "logins that the router rejected")                                         \
    X(reboots, "reboots of the router")                                                          \
    X(prints, "times that the lists were read completely")                                       \
    X(lookups, "single rows read after the error 'already have such entry'")                     \
    X(heartbeats, "heartbeats (uptime queries)")                                                 \
    X(claims, "claims created or extended")                                                      \
    X(claims_refused, "claims rejected: `max_rows` reached, or no list for the family")          \
    X(claims_over_share, "claims rejected: name, domain or client used its share of `max_rows`") \
    X(claims_evicted, "claims evicted from a full list for others")                              \
    X(rows_added, "rows added")                                                                  \
    X(scripts, "scripts that added many rows each")                                              \
    X(rows_extended, "rows whose timeout was extended")                                          \
    X(rows_adopted, "rows adopted: they existed when first claimed")                             \
    X(rows_enabled, "rows of steerdnsd enabled again, that a person disabled")                   \
    X(rows_removed, "rows removed (obsolete persistent rows, evictions, cleanup)")               \
    X(rows_lost, "rows that disappeared before their timeout")                                   \
    X(rows_repaired, "missing rows written again")                                               \
    X(rows_failed, "rows that the router rejected permanently")                                  \
    X(rows_blocked, "addresses not written: a foreign row has the address")                      \
    X(set_sentences, "renewal commands; each can renew several rows")                            \
    X(bisections, "renewal commands split because a row was missing")                            \
    X(listen_events, "row changes reported by the router")                                       \
    X(rows_late, "rows written after their answer had left")                                     \
    X(rows_late_missed, "late rows whose connections were not checked: too many waiting")        \
    X(connection_prints, "connection tracking tables read")                                      \
    X(connection_prints_cut, "connection tracking reads that ended early")                       \
    X(connections_cut, "connections removed because they were older than their row")             \
    X(removals_deferred,                                                                         \
      "removals of routes that waited for tracked connections, counted at each check")           \
    X(writes_of_others, "rows with our comment written by another instance")                     \
    X(unknown_sentences, "messages of the router that were not understood")                      \
    X(floods, "sessions closed: the router sent too much")                                       \
    X(writer_rows, "writer rows written: terms of this appliance as the writer")                 \
    X(superseded, "times that another appliance's higher token ended the writing")               \
    X(waits_unserved, "standby: waits for a row that the writer did not write")                  \
    X(holds_unmet, "answers not held, because the router cannot write their row in time")        \
    X(manual_changes, "rows changed by a person and left unchanged")                             \
    X(bytes_in, "bytes received from the router")                                                \
    X(bytes_out, "bytes sent to the router")
STEER_COUNTER_STRUCT(RouterCounters, kRouterCounters, STEER_ROUTER_COUNTERS);

}  // namespace steer::routeros
