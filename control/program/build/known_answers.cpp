#include "control/program/build/known_answers.h"

#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "dataplane/base/buffer.h"
#include "dataplane/dns/wire.h"

namespace steer::build {
namespace {

constexpr std::uint32_t kBlackHoleTtl = 300;

using Bytes = std::vector<std::uint8_t>;

void add16(Bytes& to, unsigned v) {
    to.push_back(static_cast<std::uint8_t>(v >> 8));
    to.push_back(static_cast<std::uint8_t>(v));
}
void add32(Bytes& to, std::uint32_t v) {
    add16(to, v >> 16);
    add16(to, v & 0xffff);
}

// The beginning of a response about the root. It fits every name, because records refer to the question by a
// pointer.
Bytes response(unsigned rcode, unsigned answers, unsigned authorities, std::uint16_t qtype,
               std::uint16_t qclass) {
    Bytes out;
    add16(out, 0);
    add16(out, dns::kQr | rcode);
    add16(out, 1);
    add16(out, answers);
    add16(out, authorities);
    add16(out, 0);
    out.push_back(0);
    add16(out, qtype);
    add16(out, qclass);
    return out;
}

// A record behind its name.
void add_fields(Bytes& to, std::uint16_t type, std::uint16_t klass, std::uint32_t ttl_s,
                std::span<const std::uint8_t> rdata) {
    add16(to, type);
    add16(to, klass);
    add32(to, ttl_s);
    add16(to, static_cast<unsigned>(rdata.size()));
    to.insert(to.end(), rdata.begin(), rdata.end());
}

// Of the name in the question.
void add_record(Bytes& to, std::uint16_t type, std::uint16_t klass, std::uint32_t ttl_s,
                std::span<const std::uint8_t> rdata) {
    add16(to, 0xc000 | dns::kHeaderSize);
    add_fields(to, type, klass, ttl_s, rdata);
}

// RNAME is reserved by RFC 2606 and RFC 6761.
Bytes soa_rdata(std::span<const std::uint8_t> mname, std::uint32_t minimum_s) {
    static constexpr std::string_view kNobody("\6nobody\7invalid\0", 16);
    Bytes out(mname.begin(), mname.end());
    out.insert(out.end(), kNobody.begin(), kNobody.end());
    for (const std::uint32_t number : {1U, 3600U, 1200U, 604800U, minimum_s})
        add32(out, number);
    return out;
}

Bytes localhost() {
    static constexpr std::string_view kLocalhost("\11localhost\0", 11);
    return {kLocalhost.begin(), kLocalhost.end()};
}

}  // namespace

KnownAnswers::KnownAnswers(AnswerStore& store) : store_(store), block_(kLargeBuffer) {}

bool KnownAnswers::build(const Bytes& response, std::uint16_t qtype, std::uint16_t qclass) {
    constexpr std::size_t kLongestQuestion = 255 + 4, kOpt = 64;
    if (response.size() + kLongestQuestion + kOpt > dns::kMaxMessage) return false;
    constexpr std::array<std::uint8_t, 1> kRoot{0};
    dns::UpstreamFacts facts;
    return dns::build_answer(response, kRoot, qtype, qclass, false, block_, facts,
                             dns::Records::all) == dns::AnswerError::none;
}

AnswerRef KnownAnswers::keep() {
    const std::size_t size = reinterpret_cast<const dns::Answer*>(block_.data())->size();
    const auto [known, fresh] = known_.try_emplace(
        Bytes(block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(size)), kNoAnswer);
    if (fresh) known->second = store_.add(known->first);
    return known->second;
}

AnswerRef KnownAnswers::of_response(const Bytes& response, std::uint16_t qtype,
                                    std::uint16_t qclass) {
    return build(response, qtype, qclass) ? keep() : kNoAnswer;
}

AnswerRef KnownAnswers::of_records(std::uint16_t qtype, std::uint16_t qclass,
                                   const std::vector<config::KnownRecord>& records) {
    Bytes message =
        response(dns::kNoError, static_cast<unsigned>(records.size()), 0, qtype, qclass);
    for (const config::KnownRecord& r : records)
        add_record(message, r.type, r.klass, r.ttl_s, r.rdata);
    return of_response(message, qtype, qclass);
}

AnswerRef KnownAnswers::of_sections(std::uint8_t rcode, std::uint16_t qtype,
                                    const std::vector<OwnedRecord>& answers,
                                    const std::vector<OwnedRecord>& authorities) {
    Bytes message = response(rcode, static_cast<unsigned>(answers.size()),
                             static_cast<unsigned>(authorities.size()), qtype, dns::kIn);
    for (const auto* const section : {&answers, &authorities}) {
        for (const OwnedRecord& one : *section) {
            const config::KnownRecord& r = one.record;
            if (one.owner.empty()) {
                add_record(message, r.type, r.klass, r.ttl_s, r.rdata);
                continue;
            }
            message.insert(message.end(), one.owner.begin(), one.owner.end());
            add_fields(message, r.type, r.klass, r.ttl_s, r.rdata);
        }
    }
    if (!build(message, qtype, dns::kIn)) return kNoAnswer;
    auto& head = *reinterpret_cast<dns::Answer*>(block_.data());
    head.flags |= dns::kAa;
    head.for_one = true;
    return keep();
}

AnswerRef KnownAnswers::negative(std::uint8_t rcode, std::uint32_t ttl_s) {
    Bytes message = response(rcode, 0, 1, dns::kA, dns::kIn);
    add_record(message, dns::kSoa, dns::kIn, ttl_s, soa_rdata(localhost(), ttl_s));
    return of_response(message, dns::kA, dns::kIn);
}

AnswerRef KnownAnswers::negative_of(std::span<const std::uint8_t> zone, std::uint8_t rcode,
                                    std::uint32_t ttl_s) {
    Bytes message = response(rcode, 0, 1, dns::kA, dns::kIn);
    message.insert(message.end(), zone.begin(), zone.end());  // the question may be below it
    add_fields(message, dns::kSoa, dns::kIn, ttl_s, soa_rdata(zone, ttl_s));
    return authoritative(of_response(message, dns::kA, dns::kIn));
}

AnswerRef KnownAnswers::soa_of(std::span<const std::uint8_t> zone, std::uint32_t ttl_s) {
    return authoritative(
        of_records(dns::kSoa, dns::kIn, {{dns::kSoa, dns::kIn, ttl_s, soa_rdata(zone, ttl_s)}}));
}

AnswerRef KnownAnswers::empty(std::uint8_t rcode) {
    return of_response(response(rcode, 0, 0, dns::kA, dns::kIn), dns::kA, dns::kIn);
}

AnswerRef KnownAnswers::truncated() {
    return of_response(response(dns::kTc, 0, 0, dns::kA, dns::kIn), dns::kA, dns::kIn);
}

AnswerRef KnownAnswers::unkept(AnswerRef answer) {
    return changed(answer, [](dns::Answer& head) { head.for_one = true; });
}

AnswerRef KnownAnswers::authoritative(AnswerRef answer) {
    return changed(answer, [](dns::Answer& head) { head.flags |= dns::kAa; });
}

AnswerRef KnownAnswers::changed(AnswerRef answer, void (*change)(dns::Answer& head)) {
    if (answer == kNoAnswer) return answer;
    const dns::Answer& known = store_.at(answer);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&known);
    Bytes copy(bytes, bytes + known.size());
    dns::Answer head = known;
    change(head);
    std::memcpy(copy.data(), &head, sizeof head);
    const auto [at, fresh] = known_.try_emplace(std::move(copy), kNoAnswer);
    if (fresh) at->second = store_.add(at->first);
    return at->second;
}

AnswerRef KnownAnswers::of_addresses(bool v6, const std::vector<IpAddress>& addresses,
                                     std::uint32_t ttl_s) {
    const std::uint16_t type = v6 ? dns::kAaaa : dns::kA;
    std::vector<config::KnownRecord> records;
    for (const IpAddress& a : addresses) {
        if (a.is_v4() == v6) continue;
        config::KnownRecord record{type, dns::kIn, ttl_s, {}};
        if (v6) {
            record.rdata.assign(a.bytes.begin(), a.bytes.end());
        } else {
            record.rdata.assign(a.v4(), a.v4() + 4);
        }
        records.push_back(std::move(record));
    }
    return records.empty() ? kNoAnswer : of_records(type, dns::kIn, records);
}

BlackHole KnownAnswers::black_hole(const config::BlackHole& settings) {
    using Mode = config::BlackHoleMode;
    if (settings.mode == Mode::refused || settings.mode == Mode::servfail) {
        const AnswerRef none =
            empty(settings.mode == Mode::refused ? dns::kRefused : dns::kServFail);
        return {none, none, none};
    }
    const AnswerRef nothing =
        negative(settings.mode == Mode::nxdomain ? dns::kNxDomain : dns::kNoError, kBlackHoleTtl);
    BlackHole out{nothing, nothing, nothing};
    std::vector<IpAddress> addresses = settings.ips;
    if (settings.mode == Mode::null)
        addresses = {IpAddress::parse("0.0.0.0").value(), IpAddress::parse("::").value()};
    if (const auto a = of_addresses(false, addresses, kBlackHoleTtl); a != kNoAnswer) out.a = a;
    if (const auto aaaa = of_addresses(true, addresses, kBlackHoleTtl); aaaa != kNoAnswer)
        out.aaaa = aaaa;
    return out;
}

}  // namespace steer::build
