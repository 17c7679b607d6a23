#include "control/observe/recorder/dnstap_message.h"

#include <algorithm>
#include <array>
#include <span>

#include "matchers/octets.h"

namespace steer::recorder {
namespace {

// Numbers of fields and values: the schema's.
constexpr unsigned kIdentity = 1, kVersionOf = 2, kMessage = 14, kType = 15;
constexpr unsigned kOfMessage = 1;  // value of kType
constexpr unsigned kMessageType = 1, kFamily = 2, kProtocol = 3, kQueryAddress = 4,
                   kResponseAddress = 5, kQueryPort = 6, kResponsePort = 7, kQuerySeconds = 8,
                   kQueryNanoseconds = 9, kQueryMessage = 10, kResponseSeconds = 12,
                   kResponseNanoseconds = 13, kResponseMessage = 14, kPolicy = 15,
                   kHttpProtocol = 16;
constexpr unsigned kPolicyType = 1, kPolicyRule = 2, kPolicyAction = 3;
constexpr unsigned kNxdomain = 1, kNodata = 2, kPass = 3, kDrop = 4, kLocalData = 6;  // of that
constexpr unsigned kClientQuery = 5, kClientResponse = 6;
constexpr unsigned kInet = 1, kInet6 = 2;
constexpr unsigned kHttp3 = 3;                             // value of kHttpProtocol
constexpr unsigned kVarint = 0, kBytes = 2, kFixed32 = 5;  // wire types

void put_varint(std::uint64_t value, std::string& out) {
    for (; value >= 0x80; value >>= 7U)
        out += static_cast<char>((value & 0x7fU) | 0x80U);
    out += static_cast<char>(value);
}

void put_key(unsigned field, unsigned type, std::string& out) {
    put_varint(field << 3U | type, out);
}

void put_number(unsigned field, std::uint64_t value, std::string& out) {
    put_key(field, kVarint, out);
    put_varint(value, out);
}

void put_fixed32(unsigned field, std::uint32_t value, std::string& out) {
    put_key(field, kFixed32, out);
    for (unsigned shift = 0; shift < 32; shift += 8)
        out += static_cast<char>(value >> shift & 0xffU);
}

void put_bytes(unsigned field, std::string_view bytes, std::string& out) {
    put_key(field, kBytes, out);
    put_varint(bytes.size(), out);
    out += bytes;
}

std::string_view bytes_of(const IpAddress& address) {
    return address.is_v4() ? chars_of({address.v4(), 4}) : chars_of(address.bytes);
}

void put_time(unsigned seconds, unsigned nanoseconds, std::int64_t time_us, std::string& out) {
    put_number(seconds, static_cast<std::uint64_t>(time_us / kMicroseconds), out);
    put_fixed32(nanoseconds, static_cast<std::uint32_t>(time_us % kMicroseconds * 1000), out);
}

// The schema's action; 0: it has none for this response.
unsigned action_of(const RecordedQuery& query) {
    constexpr std::uint16_t kNxdomainRcode = 3;
    if (query.decision == "allowed" || query.decision == "steered") return kPass;
    if (query.rcode == kNoRcode) return kDrop;
    if (query.rcode == kNxdomainRcode) return kNxdomain;
    if (query.rcode != 0) return 0;
    return query.answers.empty() ? kNodata : kLocalData;
}

// Only what a rule or list of the operator decided: not `forwarded`, `refused` and similar.
void put_policy(const RecordedQuery& query, std::string& out) {
    constexpr std::array<std::string_view, 6> kDecided{kBlocked,  "allowed",  "rewritten",
                                                       "steered", "rejected", "dropped"};
    if (std::ranges::find(kDecided, query.decision) == kDecided.end()) return;
    std::string policy, rule(query.list);
    put_bytes(kPolicyType, query.decision, policy);
    // "LIST:LINE RULE", as the line of the policy is "FILE:LINE TEXT".
    if (query.line != 0)
        rule.append(":").append(std::to_string(query.line)).append(" ").append(query.list_rule);
    if (!rule.empty() && !query.rule.empty()) rule += ' ';
    rule += query.rule;
    if (!rule.empty()) put_bytes(kPolicyRule, rule, policy);
    if (const unsigned action = action_of(query); action != 0)
        put_number(kPolicyAction, action, policy);
    put_bytes(kPolicy, policy, out);
}

void put_message(bool is_response, const RecordedQuery& query, std::string& out) {
    put_number(kMessageType, is_response ? kClientResponse : kClientQuery, out);
    put_number(kFamily, query.client.is_v4() ? kInet : kInet6, out);
    put_number(kProtocol, row_of(query.transport).dnstap, out);
    if (query.transport == ClientTransport::doh3) put_number(kHttpProtocol, kHttp3, out);
    put_bytes(kQueryAddress, bytes_of(query.client), out);
    if (query.server != IpAddress{}) put_bytes(kResponseAddress, bytes_of(query.server), out);
    put_number(kQueryPort, query.client_port, out);
    put_number(kResponsePort, query.server_port, out);
    put_time(kQuerySeconds, kQueryNanoseconds, query.time_us - query.duration_us, out);
    if (!is_response) {
        if (!query.query.empty()) put_bytes(kQueryMessage, chars_of(query.query), out);
        return;
    }
    put_time(kResponseSeconds, kResponseNanoseconds, query.time_us, out);
    if (!query.response.empty()) put_bytes(kResponseMessage, chars_of(query.response), out);
    put_policy(query, out);
}

void put(bool is_response, const DnstapSource& source, const RecordedQuery& query,
         std::string& out) {
    out.clear();
    if (!source.identity.empty()) put_bytes(kIdentity, source.identity, out);
    put_bytes(kVersionOf, source.version, out);
    // The length stands before the message, and a varint's size depends on it: written behind it, and moved.
    const std::size_t begin = out.size();
    put_message(is_response, query, out);
    std::string head;
    put_key(kMessage, kBytes, head);
    put_varint(out.size() - begin, head);
    out.insert(begin, head);
    put_number(kType, kOfMessage, out);
}

}  // namespace

void put_client_query(const DnstapSource& source, const RecordedQuery& query, std::string& out) {
    put(false, source, query, out);
}

void put_client_response(const DnstapSource& source, const RecordedQuery& query, std::string& out) {
    put(true, source, query, out);
}

}  // namespace steer::recorder
