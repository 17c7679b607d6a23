// Saves a query in its record and restores it. Only for dataplane/stages/resolver*.cpp.
#pragma once

#include <cstring>

#include "dataplane/stages/resolver.h"

namespace steer {

inline bool is_over_tcp(const ReturnPath& path) {
    return !path.client.is_udp();
}

inline ParkedPool::Holder holder_of(const Parked& p) {
    return {p.path.client.address, is_over_tcp(p.path), p.edns.cookie == dns::CookieState::valid};
}
inline ParkedPool::Holder holder_of(const Packet& p) {
    return {p.client.address, !p.client.is_udp(), p.query.edns.cookie == dns::CookieState::valid};
}

// Writes all data of a query that outlives its packet, except its return path.
inline void write_record(const Packet& p, const QueryContext& c, Parked& r) {
    const dns::Query& q = p.query;
    r.qname_len = q.qname_len;
    r.id = q.id;
    r.qtype = q.qtype;
    r.qclass = q.qclass;
    r.flags = q.flags;
    r.edns = q.edns;
    if (q.edns.cookie != dns::CookieState::none) r.cookie = q.cookie;
    r.set_started(c.started_us);
    r.program = c.state;
    r.ecs_asked = c.state.ecs ? q.edns.ecs_len : 0;
    std::memcpy(r.qname.data(), p.dns + dns::kHeaderSize, q.qname_len);
    std::memcpy(r.qname.data() + q.qname_len, q.ecs().data(), q.edns.ecs_len);
    if (c.injected != nullptr) hold(c.injected);
    r.injected = c.injected;
    r.trace = c.trace.handle();
    r.options_len = static_cast<std::uint8_t>(c.options.size());
    if (!c.options.empty()) {
        std::memcpy(r.qname.data() + q.qname_len + q.edns.ecs_len, c.options.data(),
                    c.options.size());
    }
}

// Copies the query of `p` to another record.
inline void copy_record(const Parked& p, Parked& other) {
    other.qname_len = p.qname_len;
    other.id = p.id;
    other.qtype = p.qtype;
    other.qclass = p.qclass;
    other.flags = p.flags;
    other.edns = p.edns;
    other.cookie = p.cookie;
    other.started_s = p.started_s;
    other.started_64000ths = p.started_64000ths;
    other.path = p.path;
    other.options_len = p.options_len;
    other.trace = p.trace;
    if (p.injected != nullptr) hold(p.injected);
    other.injected = p.injected;
    std::memcpy(other.qname.data(), p.qname.data(),
                std::size_t{p.qname_len} + p.edns.ecs_len + p.options_len);
}

inline void read_record(const Parked& r, dns::Query& q) {
    q.id = r.id;
    q.flags = r.flags;
    q.qtype = r.qtype;
    q.qclass = r.qclass;
    q.qname_len = r.qname_len;
    q.question_end = static_cast<std::uint16_t>(dns::kHeaderSize + r.qname_len + 4);
    q.edns = r.edns;
    q.cookie_length = 0;
    if (r.edns.cookie != dns::CookieState::none) q.set_cookie(r.cookie);
    q.over_v4 = r.path.client.address.is_v4();
    dns::lower_case(r.qname.data(), q.qname.data(), r.qname_len);
    std::memcpy(q.qname.data() + r.qname_len, r.qname.data() + r.qname_len, r.edns.ecs_len);
}

inline void read_record(const Parked& r, QueryContext& c) {
    c.qname_as_sent = r.qname.data();
    c.client = r.path.client;
    c.injected = r.injected;
    c.options = {r.qname.data() + r.qname_len + r.edns.ecs_len, r.options_len};
    c.started_us = r.started_us();
    c.state = r.program;
    c.rewrite_question();
}

// Restores the response of a query that was parked in its program. The record keeps it too.
inline void read_response(const Parked& r, QueryContext& c) {
    if (r.answer == nullptr) return;
    hold(r.answer);
    c.response.restore(
        r.answer, r.kept,
        r.ede != kNoEde ? std::optional(static_cast<dns::Ede>(r.ede)) : std::nullopt);
}

}  // namespace steer
