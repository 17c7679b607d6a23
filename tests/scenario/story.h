// A story: the text of a scenario, read and played in a World.
//
// Lines; `#` starts a comment. First the head:
//
//   config FILE                      a configuration, beside the story
//   workers N                        1 if not given
//   environment NAME [VALUE]         a variable for the configuration, in addition to the process's own
//   wall DATE TIME                   in UTC, as in 2026-03-29 00:59:30: the time of day at 0s
//   router NAME [preset fast] [latency 2ms] [prefill LIST N] [version 7.17]
//
// then what happens and what must be seen. `at TIME` moves the clock; a line without it belongs to the same instant.
// TIME and durations: 5ms, 30s, 1m30s, 2h; `at +5ms` counts from the last.
//
//   client ADDRESS asks NAME TYPE [class N] [vlan ID] [port N] [norec] [edns] [do] [cd] [ad] [ecs ADDRESS/LENGTH] [option CODE:HEX]…     (CODE:*N: N zeros)
//         [cookie new | kept | forged | ADDRESS]         (new: a client cookie alone; kept: that of its last answer with one;
//                                                  forged: the same with a wrong server cookie; ADDRESS: another client's)
//   every DURATION until TIME client ADDRESS asks NAME TYPE
//   client [ADDRESS] is answered NAME TYPE [DATA…] [ttl N | ttl N..M] [rcode NAME] [ede N | ede none] [ad | not ad] [aa | not aa]
//                                 [truncated] [soa] [zone NAME]                    (one authority record; the first one's owner)
//                                 [ecs ADDRESS/LENGTH/SCOPE | ecs none] [cname TARGET[@TTL]…]
//                                 [cookie fresh | same | none]                    (its client cookie and a server cookie: a new
//                                                  one, or that of the last answer whose cookie was named)
//                                 [additional DATA]…                              (all records of that section but the OPT)
//                                 [options CODE:HEX… | options none]              (except subnet and extended error)
//                                                  the next answer that it got; the records form the chain of the CNAMEs
//                                                  that are named, whose TTLs then are not `ttl`
//   client [ADDRESS] has no answer
//   upstream [ADDRESS] is asked NAME TYPE [ecs ADDRESS/LENGTH | ecs none | options CODE:HEX… | options none | cookie client|server|none] |
//   upstream [ADDRESS] is not asked
//                                                  (ADDRESS, in these and the following: of the only one that is meant)
//   upstream was asked NAME TYPE                   once or more, not named since
//   upstream answers NAME TYPE DATA… [ttl N]       what was asked and not answered yet; DATA: addresses (of HTTPS: the
//                                                  hint of one record, of a client's answer "-" if it has none; or its target,
//                                                  a name), cname TARGET,
//                                                  or nxdomain, servfail, refused, formerr, empty; soa TTL MINIMUM;
//                                                  scope N: of the client subnet that it was asked for; option CODE:HEX;
//                                                  ad: with that bit; record OWNER TYPE DATA: one more in the answer section;
//                                                  cookie server | client | wrong: with the query's client cookie and a server
//                                                  cookie, with the former alone, or with another client cookie;
//                                                  additional OWNER TYPE DATA: in that section; of SRV and MX: the target
//   upstream serves NAME TYPE DATA… [ttl N] [after DURATION]       by itself from now on
//   router NAME is sent WORD…                      a sentence with all these words, among those not yet named
//   router NAME is sent nothing with WORD…
//   router NAME has [no] row LIST ADDRESS [timeout N..M]
//   router NAME has N rows in LIST
//   router NAME reboots for DURATION | hangs | resumes | is reprinted
//   configuration is FILE                          another one is in force, with the same routers, caches and upstreams
//   adlist TAG is paused for DURATION | resumes
//   power fails for DURATION uptime DURATION       the machine and the routers lose their memory; then the machine is up for
//                                                  that long, and the caches are restored from dumps of the moment before
//   router NAME gets foreign row LIST ADDRESS [timeout DURATION]
//   router NAME loses row LIST ADDRESS | disables row LIST ADDRESS | enables row LIST ADDRESS
//   outcome NAME is N      stat NAME is N      verdict NAME is N      end NAME is N      (of all workers; end: of parked queries)
//   task TAG is [not] raised                       by a query, since this was last asked
//   log says TEXT
// A name label.label or label.NAME is that of the last test for a forwarding loop, below the root or below NAME.
//   sums hold                                      every packet in has exactly one verdict
#pragma once

#include <string>

namespace steer::test {

// Plays the story; throws std::runtime_error "FILE:LINE: what was expected, what was seen" at the first thing that is
// not so. `dns_log` and `journal` (may be empty) get what the judge reads.
void play(const std::string& story_file, const std::string& dns_log, const std::string& journal);

}  // namespace steer::test
