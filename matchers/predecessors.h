// Settings of ForgeDNS/OxiDNS and mosdns that we do not have, in one table: keys without an effect
// here, zeros that mean the default, and plugin types that are ignored. Also types that are
// rejected with the text to write instead.
//
// The parser warns about them or rejects them (control/config/predecessors.h). `steerctl import`
// leaves them out with a note. Header only, because these two modules share no other code.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace steer {

// `where`: the type of plugin, or the first word for other keys: "upstream", "download", "tls".
struct PredecessorKey {
    enum class Fate : std::uint8_t { no_effect, zero_is_default };
    std::string_view where, key;
    Fate fate;
    std::string_view text = {};            // what happens instead; empty for a zero
    std::string_view text_of_import = {};  // empty: `text`
};

struct PredecessorType {
    enum class Fate : std::uint8_t { no_effect, refused };
    std::string_view name;
    bool is_server;  // else an executor
    Fate fate;
    std::string_view text;                 // what happens instead, or what to write
    std::string_view text_of_import = {};  // empty: `text`
};

namespace predecessors {

inline constexpr auto kNone = PredecessorKey::Fate::no_effect;
inline constexpr auto kZero = PredecessorKey::Fate::zero_is_default;
inline constexpr std::string_view kReadAgain =
    "files are read again when they change ('watch' of 'control')";

inline constexpr std::array kKeys{
    PredecessorKey{"forward", "enable_http3", kNone, "write it in the upstreams that speak HTTP/3"},
    PredecessorKey{"download", "socks5", kNone,
                   "files are fetched without a proxy; if the server needs a proxy, fetch them "
                   "with another program",
                   "files are fetched without a proxy"},
    PredecessorKey{"download", "outbound", kNone,
                   "files are fetched without a proxy, and the configured upstreams resolve the "
                   "server's name; remove the key",
                   "files are fetched without a proxy"},
    PredecessorKey{"ros_address_list", "wait_timeout", kNone,
                   "with 'async: false', an answer waits 'sync_timeout' (100ms)"},
    PredecessorKey{"ros_address_list", "queue_capacity", kNone,
                   "'max_rows' limits the list (50000)"},
    PredecessorKey{"ros_route", "wait_timeout", kNone,
                   "with 'async: false', an answer waits 'sync_timeout' (100ms)"},
    PredecessorKey{"ros_route", "queue_capacity", kNone, "'max_rows' limits the routes (10000)"},
    PredecessorKey{"tls", "server_name", kNone,
                   "the certificate is checked for the host in 'address'; write 'pin' if it has "
                   "another name",
                   "write 'pin' if the certificate has another name than 'address'"},
    PredecessorKey{"tls", "insecure", kNone,
                   "the certificate is always checked; if it is self-signed, the failing "
                   "connection's error prints the 'pin' to write",
                   "the certificate is always checked; write 'pin' if it is self-signed"},
    PredecessorKey{"cache", "compress_resp", kNone,
                   "answers are always compressed (RFC 1035 4.1.4)",
                   "answers are always compressed"},
    PredecessorKey{"cache", "dump_size", kNone, "the whole cache is dumped; remove the key",
                   "the whole cache is dumped"},
    PredecessorKey{"cache", "lazy_refresh_timeout", kNone,
                   "a refresh ends with 'total_timeout' of its forward; remove the key",
                   "a refresh ends with 'total_timeout' of its forward"},
    PredecessorKey{"query_summary", "name", kNone,
                   "the lines have no name of their own; write 'msg'"},
    PredecessorKey{"query_recorder", "memory_tail", kNone,
                   "the database has the history; remove the key", "the database has the history"},
    PredecessorKey{"query_recorder", "reader_concurrency", kNone,
                   "one request is answered at a time; remove the key",
                   "one request is answered at a time"},
    PredecessorKey{"query_recorder", "cleanup_interval_hours", kNone,
                   "old rows are removed all the time; remove the key",
                   "old rows are removed all the time"},
    PredecessorKey{"hosts", "auto_reload", kNone, kReadAgain},
    PredecessorKey{"domain_set", "auto_reload", kNone, kReadAgain},
    PredecessorKey{"ip_set", "auto_reload", kNone, kReadAgain},
    PredecessorKey{"cache", "size", kZero},
    PredecessorKey{"cache", "dump_interval", kZero},
    PredecessorKey{"upstream", "idle_timeout", kZero},
    PredecessorKey{"upstream", "max_conns", kZero},
    PredecessorKey{"upstream", "port", kZero},
    PredecessorKey{"upstream", "timeout", kZero},
    PredecessorKey{"tcp_server", "idle_timeout", kZero},
    PredecessorKey{"http_server", "idle_timeout", kZero},
    PredecessorKey{"reverse_lookup", "size", kZero},
    PredecessorKey{"reverse_lookup", "ttl", kZero},
    PredecessorKey{"rate_limiter", "qps", kZero},
    PredecessorKey{"rate_limiter", "burst", kZero},
    PredecessorKey{"rate_limiter", "mask4", kZero},
    PredecessorKey{"rate_limiter", "mask6", kZero},
    PredecessorKey{"download", "timeout", kZero},
};

inline constexpr auto kLeftOut = PredecessorType::Fate::no_effect;
inline constexpr auto kRefused = PredecessorType::Fate::refused;

inline constexpr std::array kTypes{
    PredecessorType{"http_request", false, kLeftOut, "no request is sent; remove it",
                    "no request is sent"},
    PredecessorType{"script", false, kLeftOut, "no program is started; remove it",
                    "no program is started"},
    PredecessorType{"upgrade", false, kLeftOut,
                    "the package manager upgrades this program; remove it",
                    "the package manager upgrades this program"},
    PredecessorType{"ip_selector", false, kRefused,
                    "addresses keep the order of the upstream; remove it and its uses",
                    "answers change: addresses keep the order of the upstream"},
    PredecessorType{"sd_set", false, kRefused,
                    "a fork of mosdns has it; write a domain_set whose 'files' name the lists as "
                    "text",
                    "a fork of mosdns has it; write a domain_set"},
    PredecessorType{"si_set", false, kRefused,
                    "a fork of mosdns has it; write an ip_set whose 'files' name the lists as text",
                    "a fork of mosdns has it; write an ip_set"},
};

// Sections of mosdns v4 and mosdns-x. Such a configuration must be converted to v5 first.
inline constexpr std::array<std::string_view, 2> kSectionsOfV4{"data_providers", "servers"};

// Returns nullptr if there is no such key.
inline const PredecessorKey* find_key(std::string_view where, std::string_view key,
                                      PredecessorKey::Fate fate) {
    const auto* const at = std::ranges::find_if(kKeys, [&](const PredecessorKey& row) {
        return row.where == where && row.key == key && row.fate == fate;
    });
    return at == kKeys.end() ? nullptr : at;
}
inline const PredecessorType* find_type(std::string_view name) {
    const auto* const at = std::ranges::find(kTypes, name, &PredecessorType::name);
    return at == kTypes.end() ? nullptr : at;
}

template <class Row>
std::string_view text_of_import(const Row& row) {
    return row.text_of_import.empty() ? row.text : row.text_of_import;
}

}  // namespace predecessors
}  // namespace steer
