// A query for the tests of the recorder.
#pragma once

#include <cstdint>
#include <string_view>

#include "control/observe/recorder/recorded_query.h"

namespace steer::recorder::test {

inline constexpr std::int64_t kBegin = 1'795'449'600'000'000;  // 2026-11-23T16:00:00Z, whole hour
inline constexpr std::int64_t kSecond = 1'000'000;

inline RecordedQuery sample_query(std::string_view name = "www.example.com",
                                  std::int64_t after_us = 0) {
    RecordedQuery query;
    query.time_us = kBegin + after_us;
    query.duration_us = 120;
    query.client = *IpAddress::parse("192.0.2.7");
    query.client_text = "192.0.2.7";
    query.server = *IpAddress::parse("192.0.2.53");
    query.client_port = 40'000;
    query.server_port = 53;
    query.path = Path::cache;
    query.rcode = 0;
    query.qtype = 1;
    query.qclass = 1;
    query.query_size = 33;
    query.response_size = 49;
    query.end = "answered";
    query.entry_tag = "main";
    query.name = name;
    return query;
}

}  // namespace steer::recorder::test
