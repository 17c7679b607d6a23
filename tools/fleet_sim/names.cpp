#include "tools/fleet_sim/names.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include "dataplane/dns/name.h"
#include "matchers/prefix/ip_address.h"

namespace steer::fleet_sim {
namespace {

constexpr std::uint16_t kA = 1, kAaaa = 28, kIn = 1;

// TTLs of A records by name: Frank Denis, "On the distribution of DNS TTLs" (2012, https://00f.net/2012/05/10/
// distribution-of-dns-ttls/), the initial TTLs of 6,263,672 names in 348,876,495 answers at OpenDNS. It gives shares up to
// 0, 60 s, 120 s, 300 s and 1 h, and says where between them values gather: 10 min and 1 h; above that 4 h and 1 day. These
// last two pairs are halved here, which is ours.
struct TtlShare {
    double up_to;  // share of names with at most this TTL
    std::uint32_t ttl_s;
};
constexpr std::array kTtls{TtlShare{0.0016, 0},       TtlShare{0.0984, 60},
                           TtlShare{0.1632, 120},     TtlShare{0.3988, 300},
                           TtlShare{0.54975, 600},    TtlShare{0.7007, 3'600},
                           TtlShare{0.85035, 14'400}, TtlShare{1.0, 86'400}};

// Addresses of an answer: an assumption, 2.4 in the mean.
struct CountShare {
    double up_to;
    unsigned addresses;
};
constexpr std::array kCounts{CountShare{0.5, 1}, CountShare{0.75, 2}, CountShare{0.9, 4},
                             CountShare{1.0, 8}};

void put16(std::vector<std::uint8_t>& to, std::uint16_t value) {
    to.push_back(static_cast<std::uint8_t>(value >> 8));
    to.push_back(static_cast<std::uint8_t>(value));
}

void put32(std::vector<std::uint8_t>& to, std::uint32_t value) {
    put16(to, static_cast<std::uint16_t>(value >> 16));
    put16(to, static_cast<std::uint16_t>(value));
}

// The n-th address that any name has: 11.0.0.0 or 2001:db8:: and onwards. No two names share one.
IpAddress nth_address(std::uint32_t n, bool is_v6) {
    std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
    for (unsigned i = 0; i < 4; ++i)
        bytes[12 + i] = static_cast<std::uint8_t>(n >> (24 - 8 * i));
    if (is_v6) return IpAddress::from_v6(bytes.data());
    bytes[12] = static_cast<std::uint8_t>(11 + bytes[12]);
    return IpAddress::from_v4(bytes.data() + 12);
}

std::vector<std::uint8_t> response(std::span<const std::uint8_t> qname, std::uint32_t ttl_s,
                                   bool is_v6, std::span<const IpAddress> addresses) {
    std::vector<std::uint8_t> m;
    const std::uint16_t type = is_v6 ? kAaaa : kA;
    const auto count = static_cast<std::uint16_t>(addresses.size());
    for (const std::uint16_t word : std::array<std::uint16_t, 6>{0, 0x8180, 1, count, 0, 0})
        put16(m, word);
    m.insert(m.end(), qname.begin(), qname.end());
    put16(m, type);
    put16(m, kIn);
    for (const IpAddress& address : addresses) {
        put16(m, 0xc00c);
        put16(m, type);
        put16(m, kIn);
        put32(m, ttl_s);
        put16(m, is_v6 ? 16 : 4);
        const auto* const begin = is_v6 ? address.bytes.data() : address.v4();
        m.insert(m.end(), begin, begin + (is_v6 ? 16 : 4));
    }
    return m;
}

Result<Question> question(const std::string& name, bool is_v6, std::uint32_t ttl_s, unsigned count,
                          std::uint32_t& next) {
    Question q;
    const auto wire = dns::name_from_text(name);
    if (!wire) return Error{"'" + name + "' is no domain name"};
    q.qname = *wire;
    q.ttl_s = ttl_s;
    q.is_v6 = is_v6;
    std::vector<IpAddress> addresses;
    for (unsigned i = 0; i < count; ++i) {
        addresses.push_back(nth_address(next++, is_v6));
        q.addresses.push_back(addresses.back().to_string() + (is_v6 ? "/128" : ""));
    }
    const auto message = response(q.qname, ttl_s, is_v6, addresses);
    q.block.resize(256);
    dns::UpstreamFacts facts;
    const std::span block{reinterpret_cast<std::uint8_t*>(q.block.data()), q.block.size() * 4};
    if (dns::build_answer(message, q.qname, is_v6 ? kAaaa : kA, kIn, false, block, facts) !=
        dns::AnswerError::none)
        return Error{"no answer can be made for '" + name + "'"};
    q.block.resize((q.answer().size() + 3) / 4);
    return q;
}

Result<std::vector<std::string>> read_names(const std::string& path, std::size_t most) {
    std::ifstream in(path);
    if (!in) return Error{path + ": cannot be read; write the path of a file with one name a line"};
    std::vector<std::string> names;
    for (std::string line; names.size() < most && std::getline(in, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        line.erase(0, line.find(',') + 1);  // "rank,name"; without a comma nothing is erased
        if (!line.empty() && line.front() != '#') names.push_back(line);
    }
    if (names.empty()) return Error{path + ": has no names; write one name a line"};
    return names;
}

template <class Table>
const auto& pick(const Table& table, double at) {
    return *std::ranges::find_if(table, [at](const auto& row) { return at < row.up_to; });
}

}  // namespace

std::string complaint(const Settings& s) {
    if (s.pops == 0 || s.boxes % s.pops != 0 || s.routers % s.pops != 0 || s.boxes_of_pop() == 0 ||
        s.routers_of_pop() == 0) {
        return "boxes and routers must be multiples of pops: write for example --boxes 100 "
               "--routers 500 --pops 50";
    }
    if (s.full == 0 || s.full > s.pops) return "full must be from 1 to pops: write --full 1";
    if (s.routers_of_pop() > 200) return "a PoP has at most 200 routers: write more --pops";
    if (s.clients_of_pop() / s.routers_of_pop() == 0)
        return "each router needs a client: write more --clients";
    if (s.names == 0 || s.names > 10'000'000) return "names must be from 1 to 10000000";
    if (!(s.zipf >= 0) || s.zipf > 3) return "zipf must be from 0 to 3";
    if (!(s.listed > 0) || s.listed > 1) return "listed must be above 0, at most 1";
    if (!(s.ipv6 >= 0) || s.ipv6 > 1) return "ipv6 must be from 0 to 1";
    if (!(s.rate > 0) || s.rate > 1000) return "rate must be above 0, at most 1000";
    if (s.measure_s == 0) return "measure must be at least 1 (seconds)";
    return {};
}

double Dice::wait_s(double per_second) {
    return -std::log1p(-part()) / per_second;
}

Result<Names> Names::make(const Settings& settings) {
    std::vector<std::string> known;
    if (!settings.names_file.empty()) {
        auto read = read_names(settings.names_file, settings.names);
        if (!read) return read.error();
        known = std::move(*read);
    }
    Names names;
    names.from_file_ = known.size();
    Dice dice(settings.seed);
    std::vector<double> weights;
    double all = 0, ours = 0;
    std::uint32_t next4 = 0, next6 = 0;
    for (unsigned rank = 1; rank <= settings.names; ++rank) {
        const double weight = std::pow(rank, -settings.zipf);
        all += 2 * weight;  // A and AAAA
        if (dice.part() >= settings.listed) continue;
        const std::string name = rank <= known.size()
                                     ? known[rank - 1]
                                     : "host-" + std::to_string(rank) + ".site-" +
                                           std::to_string(rank % 9973) + ".example";
        const std::uint32_t ttl_s = pick(kTtls, dice.part()).ttl_s;
        const unsigned count = pick(kCounts, dice.part()).addresses;
        const bool has_v6 = dice.part() < settings.ipv6;
        ++names.listed_;
        for (const bool is_v6 : {false, true}) {
            if (is_v6 && !has_v6) continue;
            auto made = question(name, is_v6, ttl_s, count, is_v6 ? next6 : next4);
            if (!made) {
                return Error{settings.names_file + ":" + std::to_string(rank) + ": " +
                             made.error().text};
            }
            names.questions_.push_back(std::move(*made));
            weights.push_back(weight);
            ours += weight;
        }
    }
    if (weights.empty()) return Error{"the list has no name: write more --names or --listed"};
    names.share_ = ours / all;
    names.weigh(weights);
    return names;
}

void Names::weigh(const std::vector<double>& weights) {
    const std::size_t n = weights.size();
    double sum = 0;
    for (const double weight : weights)
        sum += weight;
    std::vector<double> left(n);
    std::vector<std::uint32_t> small, large;
    for (std::uint32_t i = 0; i < n; ++i) {
        left[i] = weights[i] * static_cast<double>(n) / sum;
        (left[i] < 1 ? small : large).push_back(i);
    }
    keep_.assign(n, 1);
    alias_.resize(n);
    while (!small.empty() && !large.empty()) {
        const std::uint32_t from = small.back(), to = large.back();
        small.pop_back();
        keep_[from] = left[from];
        alias_[from] = to;
        left[to] -= 1 - left[from];
        if (left[to] >= 1) continue;
        large.pop_back();
        small.push_back(to);
    }
}

bool Names::write_zone(const std::string& path) const {
    std::ofstream out(path);
    for (const Question& q : questions_) {
        for (const std::string& address : q.addresses) {
            out << dns::name_to_text(q.qname) << ". " << q.ttl_s
                << (q.is_v6 ? " IN AAAA " : " IN A ") << address.substr(0, address.find('/'))
                << '\n';
        }
    }
    out.close();
    return !out.fail();
}

std::uint32_t Names::draw(Dice& dice) const {
    const auto cell = static_cast<std::uint32_t>(dice.below(keep_.size()));
    return dice.part() < keep_[cell] ? cell : alias_[cell];
}

}  // namespace steer::fleet_sim
