// One query for the recorder's sinks: plain data, without the dataplane (except its table of
// transports).
//
// The texts and bytes belong to the caller; a sink copies what it keeps. All sinks write the same
// words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/client_transport.h"
#include "matchers/list/list_version.h"
#include "matchers/prefix/ip_address.h"

namespace steer::recorder {

inline constexpr std::int64_t kMicroseconds = 1'000'000;  // per second

// How the answer was found.
enum class Path : std::uint8_t { none, packet_cache, cache, stale, local, forwarded, error };
inline constexpr std::array<std::string_view, 7> kPaths{"none",  "packet_cache", "cache", "stale",
                                                        "local", "forwarded",    "error"};

// What the policy did with a query.
inline constexpr std::array<std::string_view, 11> kDecisions{
    "forwarded", "local",   "blocked", "allowed", "rewritten", "steered",
    "rejected",  "dropped", "refused", "error",   "empty"};
inline constexpr std::string_view kAllowed = "allowed";
inline constexpr std::string_view kBlocked = "blocked";  // the decision that sums count by name

inline constexpr std::uint16_t kNoRcode = 0xffff;
inline constexpr std::uint16_t kNoError = 0xffff;  // of RFC 8914

// Whether the extended error tells that a list blocked the query (RFC 8914: Blocked, Censored,
// Filtered): who may not see decisions sees neither it nor the answers.
inline constexpr bool shows_block(std::uint64_t ede) {
    return ede >= 15 && ede <= 17;
}

struct RecordedQuery {
    std::int64_t time_us = 0;  // its end, since 1970
    std::uint32_t duration_us = 0;
    std::uint32_t stands_for = 1;
    std::uint64_t trace = 0;  // id of its trace; 0: not traced
    std::uint64_t marks = 0;  // bits of MarkBits
    IpAddress client, server;
    std::uint16_t client_port = 0, server_port = 0;
    ClientTransport transport = ClientTransport::udp;
    Path path = Path::none;
    std::uint8_t worker = 0;
    std::uint8_t entry = 0;          // index of Settings::entries
    std::uint16_t rcode = kNoRcode;  // kNoRcode: no response
    std::uint16_t ede = kNoError;    // kNoError: none
    std::uint16_t qtype = 0, qclass = 0;
    std::uint16_t query_size = 0, response_size = 0;  // bytes on the wire
    std::string_view end;                             // a label of verdict.h
    std::string_view decision;            // one of kDecisions, or empty; lives as long as `end`
    std::string_view plugin;              // tag of the plugin that decided; empty: none
    std::string_view list;                // path, URL or zone of the list that decided; empty: none
    std::string_view rule;                // "FILE:LINE TEXT" of the line that decided; empty: none
    std::uint32_t line = 0;               // of `list`, whose rule matches the name; 0: not known
    std::string_view list_rule;           // that rule: "full:a.example"; empty: not known
    bool logs_hit = false;                // `list` is to be in the hit log
    std::string_view sha256;              // of the text of `list`; empty: not known
    std::optional<std::uint32_t> serial;  // of `list`, if it is a zone
    std::string_view upstream;            // empty: none was queried
    std::string_view entry_tag;
    std::string_view name;                   // presentation form, lower case; empty: malformed
    std::string_view client_text;            // the address
    std::string_view answers;                // answers_of(response); empty: none, or not kept
    std::span<const std::uint8_t> query;     // the message; empty: not kept
    std::span<const std::uint8_t> response;  // the same
};

// Writes the presentation form of a wire name in lower case to `out`, as dns::name_to_text().
// Allocates only until `out` is large enough. Empty if `wire` is not a name.
void put_name(std::span<const std::uint8_t> wire, std::string& out);

// Writes the answer section for people to `out`: "cdn.example 198.51.100.2 2001:db8::2". It has
// targets of CNAME records, addresses, and the types of other records, in at most kMostAnswers
// bytes. An incomplete response is read as far as possible.
inline constexpr std::size_t kMostAnswers = 400;
void put_answers(std::span<const std::uint8_t> response, std::string& out);

// An id of a trace, in the form of `explain` and `trace`.
std::string trace_text(std::uint64_t id);

// The address, with the bits behind these prefix lengths set to 0.
IpAddress masked(const IpAddress& address, unsigned mask4, unsigned mask6);

// Clears the data in a message's OPT record that identifies a client: the address in a client
// subnet (RFC 7871) beyond the masks, and cookies (RFC 7873). An incomplete message is changed as
// far as it can be read.
void blank_client_options(std::span<std::uint8_t> message, unsigned mask4, unsigned mask6);

}  // namespace steer::recorder
