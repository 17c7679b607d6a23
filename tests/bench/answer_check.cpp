#include "bench/answer_check.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "bench/fail.h"

namespace steer::bench {
namespace {

// What a claimed address may leave with by configs/minimal.yaml: max_ttl less extra_time. Below that a TTL is what its row
// has left, and goes up again when the row is renewed.
constexpr std::uint32_t kMaxClaimedTtl = 1800 - 30;

constexpr std::size_t kHeader = 12;

std::uint16_t be16(const Bytes& m, std::size_t at) {
    return static_cast<std::uint16_t>(m[at] << 8 | m[at + 1]);
}

std::uint32_t be32(const Bytes& m, std::size_t at) {
    return static_cast<std::uint32_t>(be16(m, at)) << 16 | be16(m, at + 2);
}

// The client, port and ID of a query.
std::uint64_t place_of(const IpAddress& client, std::uint16_t port, const Bytes& message) {
    return std::uint64_t{be32({client.v4(), client.v4() + 4}, 0)} << 32 |
           std::uint64_t{port} << 16 | be16(message, 0);
}

struct Records {
    std::vector<std::uint32_t> addresses;
    std::uint32_t ttl_s = 0;  // the highest
};

// A records, or AAAA of 64:ff9b::/96, whose owner is a pointer, as every server writes them. No addresses: something is odd.
Records records_of(const Bytes& m, std::size_t at) {
    constexpr std::uint16_t kA = 1, kAaaa = 28;
    constexpr std::size_t kHead = 12;  // of a record, up to its data
    Records found;
    for (unsigned n = be16(m, 6); n > 0; --n) {
        if (at + kHead > m.size() || m[at] < 0xc0 || be16(m, at + 4) != 1) return {};
        const std::uint16_t type = be16(m, at + 2), length = be16(m, at + 10);
        const std::size_t end = at + kHead + length;
        if ((type != kA || length != 4) && (type != kAaaa || length != 16)) return {};
        if (end > m.size()) return {};
        if (type == kAaaa && (be32(m, at + kHead) != 0x64ff9b || be32(m, end - 8) != 0)) return {};
        found.ttl_s = std::max(found.ttl_s, be32(m, at + 6));
        found.addresses.push_back(be32(m, end - 4));
        at = end;
    }
    std::sort(found.addresses.begin(), found.addresses.end());
    return found;
}

}  // namespace

std::vector<Bytes> read_pcap(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    in.ignore(24);
    std::vector<Bytes> frames;
    std::array<std::uint32_t, 4> head{};
    while (in.read(reinterpret_cast<char*>(head.data()), sizeof head)) {
        Bytes& frame = frames.emplace_back(head[2]);
        in.read(reinterpret_cast<char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
    }
    if (frames.empty()) fail(file + " has no queries");
    return frames;
}

std::string wire_of(const std::string& name) {
    std::string wire, label;
    std::stringstream labels(name);
    while (std::getline(labels, label, '.'))
        (wire += static_cast<char>(label.size())) += label;
    return wire + '\0';
}

AnswerCheck::AnswerCheck(std::span<const Bytes> queries, Answers answers, std::uint32_t ttl_s)
    : answers_(std::move(answers)), ttl_s_(ttl_s) {
    for (const Bytes& frame : queries) {
        std::string wrong;
        const auto query = test::read_udp_frame(frame, wrong);
        if (!query || !wrong.empty()) fail("a query of the pcap is no UDP: " + wrong);
        places_[place_of(query->from, query->from_port, query->payload)] = queries_.size();
        queries_.push_back(*query);
    }
}

const std::string& AnswerCheck::why_wrong(std::span<const std::uint8_t> frame) {
    wrong_.clear();
    const auto reply = test::read_udp_frame(frame, wrong_);
    if (!reply || !wrong_.empty()) return wrong_ += " (reply)";
    const test::UdpFrame* const query = query_of(*reply);
    if (query == nullptr) return wrong_ = "it answers no query";
    if (reply->from != query->to || reply->from_port != query->to_port ||
        reply->to_mac != query->from_mac) {
        return wrong_ = "its addresses are not the query's turned round";
    }
    compare(*query, *reply);
    return wrong_;
}

const test::UdpFrame* AnswerCheck::query_of(const test::UdpFrame& reply) const {
    if (!reply.to.is_v4() || reply.payload.size() < kHeader) return nullptr;
    const auto found = places_.find(place_of(reply.to, reply.to_port, reply.payload));
    return found == places_.end() ? nullptr : &queries_[found->second];
}

void AnswerCheck::compare(const test::UdpFrame& query, const test::UdpFrame& reply) {
    const Bytes &q = query.payload, &r = reply.payload;
    if (answers_.empty()) {
        if (q != r) wrong_ = "it is not the query's payload";
        return;
    }
    const auto zero = std::find(q.begin() + kHeader, q.end(), 0);
    const auto end = static_cast<std::size_t>(zero - q.begin()) + 5;
    if (r.size() < end ||
        !std::equal(q.begin() + kHeader, q.begin() + static_cast<long>(end), r.begin() + kHeader)) {
        wrong_ = "it has another question";
        return;
    }
    const std::string name(q.begin() + kHeader, zero + 1);
    const auto found = answers_.find(name);
    if (found == answers_.end()) return;
    if ((r[2] & 0x80) == 0 || (r[2] & 2) != 0 || (r[3] & 15) != 0) {
        wrong_ = "its flags are " + std::to_string(be16(r, 2));
        return;
    }
    const Records records = records_of(r, end);
    auto& last = last_ttl_.try_emplace(name, ttl_s_).first->second;
    if (records.addresses != found->second) {
        wrong_ = "its addresses are others";
    } else if (records.ttl_s > std::max(last, kMaxClaimedTtl)) {
        wrong_ = "its TTL is " + std::to_string(records.ttl_s) + " after " + std::to_string(last);
    }
    last = records.ttl_s;
}

}  // namespace steer::bench
