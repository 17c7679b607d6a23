// Arguments of `query_recorder`: what it records, and the destinations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

struct RecorderJson {  // JSON lines
    std::string file;
    std::uint64_t max_size = std::uint64_t{100} << 20;  // bytes; a larger file is renamed
    Milliseconds max_age{86'400'000};                   // of its first line; then it is renamed
    std::uint32_t max_files = 7;                        // renamed files to keep; 0: all
    bool operator==(const RecorderJson&) const = default;
};

struct RecorderTap {      // dnstap
    std::string socket;   // path of a unix socket; empty: TCP
    IpAddress address{};  // for TCP
    std::uint16_t port = 0;
    std::string identity;  // empty: the machine's name
    bool operator==(const RecorderTap&) const = default;
};

struct QueryRecorder {
    std::string path;  // of the database; empty: none
    std::uint32_t retention_days = 7;
    std::uint64_t max_size = std::uint64_t{1} << 30;  // bytes of the database
    std::uint32_t queue_size = 131'072;               // rows waiting for the database
    std::uint32_t batch_size = 20'000;                // rows per transaction
    std::uint32_t flush_interval_ms = 200;            // then a smaller batch is written
    std::optional<RecorderJson> json, hit_log;
    std::optional<RecorderTap> dnstap;
    std::uint32_t one_in = 1;                      // one of N queries is recorded
    std::uint32_t mask4 = 32, mask6 = 128;         // bits of a client's address that are kept
    std::vector<matchers::Prefix> except_clients;  // their queries are not recorded
    // If not empty, only queries with one of these marks are recorded ...
    std::vector<std::uint32_t> include_marks;
    std::vector<std::uint32_t> exclude_marks;  // ... and none with one of these marks
    bool operator==(const QueryRecorder&) const = default;
};

}  // namespace steer::config
