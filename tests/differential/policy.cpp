// policy [--from SEED] [--count N]: random response policy zones, asked of the product and of a
// model that reads the zones' triggers one by one, as section 5 of draft-vixie-dnsop-dns-rpz-00
// puts them in order. Some zones are files, others come by transfer: first another zone, then the
// difference to the right one.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "control/sources/transfer/policy_builder.h"
#include "dataplane/dns/name.h"
#include "differential/product.h"
#include "differential/seeds.h"
#include "differential/world.h"

namespace steer::differential {
namespace {

constexpr const char* kOutside = "198.51.100.53";

enum class By { name, below, client, address };
enum class Does { nxdomain, nodata, passthru, alias, alias_below, records };

struct Address {
    std::array<unsigned char, 16> bytes{};
    bool is_v4 = false;

    explicit Address(const std::string& text) : is_v4(text.find(':') == std::string::npos) {
        if (inet_pton(is_v4 ? AF_INET : AF_INET6, text.c_str(), bytes.data()) != 1)
            throw std::runtime_error("no address: " + text);
    }
    [[nodiscard]] bool bit(unsigned n) const { return (bytes[n / 8] >> (7 - n % 8) & 1) != 0; }
    [[nodiscard]] bool is_below(const Address& prefix, unsigned length) const {
        if (is_v4 != prefix.is_v4) return false;
        for (unsigned n = 0; n < length; ++n) {
            if (bit(n) != prefix.bit(n)) return false;
        }
        return true;
    }
};

struct Trigger {
    By by = By::name;
    std::string name;     // of name and below; below "": every name
    std::string address;  // of client and address
    unsigned length = 0;  // of its prefix
    Does does = Does::nxdomain;
    std::string target;
    std::vector<std::pair<std::string, std::string>> records;  // type and data
    unsigned ttl_s = 0;
};
using Zone = std::vector<Trigger>;

std::string prefix_labels(const Trigger& t) {
    const Address a(t.address);
    std::string out = std::to_string(t.length);
    if (a.is_v4) {
        for (unsigned i = 4; i-- > 0;)
            out += "." + std::to_string(a.bytes[i]);
        return out;
    }
    // The zeros in the middle of the addresses of these tests.
    std::array<char, 8> group{};
    bool has_zeros = false;
    for (unsigned i = 8; i-- > 0;) {
        const unsigned value = a.bytes[i * 2] * 256U + a.bytes[i * 2 + 1];
        if (value == 0) {
            if (!has_zeros) out += ".zz";
            has_zeros = true;
            continue;
        }
        std::snprintf(group.data(), group.size(), ".%x", value);
        out += group.data();
    }
    return out;
}

std::string owner_of(const Trigger& t) {
    switch (t.by) {
        case By::name:
            return t.name;
        case By::below:
            return t.name.empty() ? "*" : "*." + t.name;
        case By::client:
            return prefix_labels(t) + ".rpz-client-ip";
        case By::address:
            return prefix_labels(t) + ".rpz-ip";
    }
    return {};
}

std::string zone_text(const Zone& zone, unsigned number) {
    const std::string origin = "zone" + std::to_string(number) + ".rpz.";
    std::string out = "$ORIGIN " + origin + "\n@ 60 IN SOA ns. a. ( 1 2\n 3 4 5 )\n  NS ns.\n";
    for (const Trigger& t : zone) {
        const std::string head = owner_of(t) + " " + std::to_string(t.ttl_s) + " ";
        switch (t.does) {
            case Does::nxdomain:
                out += head + "CNAME .\n";
                break;
            case Does::nodata:
                out += head + "CNAME *.\n";
                break;
            case Does::passthru:
                out += head + "CNAME rpz-passthru.\n";
                break;
            case Does::alias:
                out += head + "CNAME " + t.target + ".\n";
                break;
            case Does::alias_below:
                out += head + "CNAME *." + t.target + ".\n";
                break;
            case Does::records:
                for (const auto& [type, data] : t.records)
                    out += head + type + " " + data + "\n";
        }
    }
    return out;
}

// The settings of a zone, and the extended error of its blocks.
std::pair<std::string, std::string> terms_of(std::size_t zone, bool is_legal) {
    if (is_legal)
        return {", legal: true, public_name: Law " + std::to_string(zone),
                "16 Law " + std::to_string(zone)};
    if (zone == 1) return {", requested: true, public_name: Wish", "17 Wish"};
    return {"", "15 "};
}

// `transferred`: whether a zone comes by transfer. `legal`: whether it is marked so.
std::string yaml_of(const std::vector<bool>& transferred, const std::vector<bool>& legal) {
    std::string out = "plugins:\n  - {tag: out, type: forward, args: {upstreams: [{addr: " +
                      std::string(kOutside) + "}]}}\n";
    std::string zones;
    for (std::size_t z = 0; z < transferred.size(); ++z) {
        const std::string name = "zone" + std::to_string(z);
        const std::string source = transferred[z] ? "$" + name : name + ".rpz";
        zones += "{zone: " + source + terms_of(z, legal[z]).first + "}, ";
        if (transferred[z])
            out += "  - {tag: " + name + ", type: secondary, args: {zone: " + name +
                   ".rpz, primaries: [192.0.2.1]}}\n";
    }
    out += "  - {tag: policy, type: rpz, args: {zones: [" + zones;
    return out +
           "]}}\n  - tag: main\n    type: sequence\n    args:\n      - {exec: $policy}\n"
           "      - {exec: $out}\n";
}

using transfer::Bytes;
using transfer::ZoneDifference;

Bytes wire_of(const std::string& name) {
    return *dns::name_from_text(name);
}

// The records of a trigger in a zone.
std::vector<ZoneDifference::Change> records_of(const Trigger& t, const std::string& zone) {
    const Bytes owner = wire_of(owner_of(t) + "." + zone);
    const auto cname = [&](const std::string& target) {
        return std::vector<ZoneDifference::Change>{{owner, kCname, t.ttl_s, wire_of(target)}};
    };
    switch (t.does) {
        case Does::nxdomain:
            return cname(".");
        case Does::nodata:
            return cname("*");
        case Does::passthru:
            return cname("rpz-passthru");
        case Does::alias:
            return cname(t.target);
        case Does::alias_below:
            return cname("*." + t.target);
        case Does::records:
            break;
    }
    std::vector<ZoneDifference::Change> out;
    for (const auto& [type, data] : t.records) {
        if (type == "TXT") {
            Bytes rdata(data.begin(), data.end());
            rdata.insert(rdata.begin(), static_cast<std::uint8_t>(data.size()));
            out.push_back({owner, kTxt, t.ttl_s, rdata});
        } else {
            const Address a(data);
            out.push_back({owner, a.is_v4 ? kA : kAaaa, t.ttl_s,
                           Bytes(a.bytes.begin(), a.bytes.begin() + (a.is_v4 ? 4 : 16))});
        }
    }
    return out;
}

// A zone by transfer, as the product's control part has it.
class Transferred {
  public:
    Transferred(Product& product, unsigned number, const Zone& before, const Zone& now)
        : name_("zone" + std::to_string(number) + ".rpz"),
          contents_(wire_of(name_)),
          builder_(wire_of(name_), std::make_shared<ZoneTargets>(product.live_targets())),
          live_(product.live_policy("zone" + std::to_string(number))) {
        transfer::ZoneImageBuilder image;
        for (const auto& change : all_of(before, 1))
            image.add(change.owner, {change.type, change.ttl_s, change.rdata});
        if (!contents_.replace(image.finish())) throw std::runtime_error("no zone");
        first_ = builder_.build(contents_);
        std::vector<Bytes> touched;
        ZoneDifference difference{1, 2, all_of(before, 1), all_of(now, 2)};
        if (auto done = contents_.apply({difference}, touched); !done)
            throw std::runtime_error(done.error().text);
        second_ = builder_.change(contents_, touched);
        live_->zone.store(second_.get());
    }
    ~Transferred() { live_->zone.store(nullptr); }
    Transferred(const Transferred&) = delete;
    Transferred& operator=(const Transferred&) = delete;

  private:
    [[nodiscard]] std::vector<ZoneDifference::Change> all_of(const Zone& zone,
                                                             std::uint8_t serial) const {
        Bytes soa{0, 0};
        soa.resize(soa.size() + 20);
        soa[5] = serial;
        std::vector<ZoneDifference::Change> out{{wire_of(name_), kSoa, 60, soa}};
        for (const Trigger& t : zone) {
            for (auto& record : records_of(t, name_))
                out.push_back(std::move(record));
        }
        return out;
    }

    const std::string name_;
    transfer::ZoneContents contents_;
    transfer::PolicyBuilder builder_;
    std::shared_ptr<LivePolicy> live_;
    std::unique_ptr<const PolicyZone> first_, second_;
};

// The draft, read from top to bottom.
class Model {
  public:
    // The first `legal` zones are legal: an exception of another zone does not end theirs.
    // `blocks`: the extended errors of the zones.
    Model(const std::vector<Zone>& zones, std::size_t legal, std::vector<std::string> blocks)
        : zones_(zones), legal_(legal), blocks_(std::move(blocks)) {}

    Outcome ask(const Question& question) {
        out_ = {};
        question_ = question;
        used = "none";
        from_ = 0, until_ = zones_.size();
        const Trigger* const early = best(0, {}, {});
        const bool waits = std::any_of(
            zones_.begin(), early == nullptr ? zones_.end() : zones_.begin() + zone_of_best_,
            [&](const Zone& zone) {
                return std::ranges::any_of(zone, [&](const Trigger& t) {
                    return t.by == By::address || (early == nullptr && is_named(t));
                });
            });
        const bool may_be_denied_by_law = early != nullptr && early->does == Does::passthru &&
                                          static_cast<std::size_t>(zone_of_best_) >= legal_ &&
                                          legal_ > 0;
        if (early != nullptr && !waits && !may_be_denied_by_law) {
            act(*early, question.name);
            return out_;
        }
        const Answer answer = upstream(question.name);
        until_ = legal_;
        const Trigger* late = of_answer(answer);
        from_ = legal_, until_ = zones_.size();
        if (late == nullptr) late = of_answer(answer);
        if (late != nullptr) {
            if (late->does != Does::passthru) out_.records.clear(), out_.rcode = kNoError;
            act(*late, question.name, &answer);
            return out_;
        }
        put(answer);
        return out_;
    }
    std::string used;

  private:
    struct Answer {
        unsigned rcode = kServFail;
        std::vector<Record> records;
    };

    [[nodiscard]] static bool is_named(const Trigger& t) {
        return t.by == By::name || t.by == By::below;
    }

    Answer upstream(const std::string& name) {
        out_.asked.push_back(kOutside);
        const auto reply = world_.ask(kOutside, name, question_.type, 1);
        if (!reply) return {};
        return {reply->rcode, reply->answer};
    }
    void put(const Answer& answer) {
        out_.rcode = answer.rcode;
        out_.records.insert(out_.records.end(), answer.records.begin(), answer.records.end());
    }

    // What decides at a place of the chain: the client (of the first), the name, the addresses (of
    // the last).
    const Trigger* best(unsigned place, const std::string& name_of_place,
                        const std::vector<std::string>& addresses) {
        const std::string& name = place == 0 ? question_.name : name_of_place;
        for (std::size_t z = from_; z < until_; ++z) {
            zone_of_best_ = static_cast<std::ptrdiff_t>(z);
            const Zone& zone = zones_[z];
            if (place == 0) {
                if (const Trigger* t = by_prefix(zone, By::client, {question_.client})) return t;
            }
            if (const Trigger* t = by_name(zone, name)) return t;
            if (const Trigger* t = by_prefix(zone, By::address, addresses)) return t;
        }
        return nullptr;
    }

    static const Trigger* by_name(const Zone& zone, const std::string& name) {
        const Trigger* longest = nullptr;
        for (const Trigger& t : zone) {
            if (t.by == By::name && t.name == name) return &t;
        }
        for (const Trigger& t : zone) {
            if (t.by != By::below) continue;
            const bool holds =
                t.name.empty() || (name.size() > t.name.size() + 1 && name.ends_with("." + t.name));
            if (holds && (longest == nullptr || t.name.size() > longest->name.size())) longest = &t;
        }
        return longest;
    }

    static const Trigger* by_prefix(const Zone& zone, By by,
                                    const std::vector<std::string>& addresses) {
        const Trigger* best = nullptr;
        for (const Trigger& t : zone) {
            if (t.by != by) continue;
            const bool holds = std::ranges::any_of(addresses, [&](const std::string& a) {
                return Address(a).is_below(Address(t.address), t.length);
            });
            if (!holds) continue;
            // The longest prefix; then the one of the smallest address, which is the smallest
            // prefix.
            if (best == nullptr || t.length > best->length ||
                (t.length == best->length &&
                 Address(t.address).bytes < Address(best->address).bytes))
                best = &t;
        }
        return best;
    }

    const Trigger* of_answer(const Answer& answer) {
        std::vector<std::string> chain, addresses;
        for (const Record& r : answer.records) {
            if (r.type == kCname) chain.push_back(r.data);
            if (r.type == kA || r.type == kAaaa) addresses.push_back(r.data);
        }
        if (chain.empty()) return best(0, {}, addresses);
        if (const Trigger* t = best(0, {}, {})) return t;
        for (std::size_t i = 0; i < chain.size(); ++i) {
            const bool is_last = i + 1 == chain.size();
            if (const Trigger* t =
                    best(1, chain[i], is_last ? addresses : std::vector<std::string>{}))
                return t;
        }
        return nullptr;
    }

    void act(const Trigger& t, const std::string& name, const Answer* answer = nullptr) {
        constexpr std::array kBy{"name", "below", "client", "address"};
        constexpr std::array kDoes{"nxdomain", "nodata",      "passthru",
                                   "alias",    "alias_below", "records"};
        used = std::string(kBy[static_cast<std::size_t>(t.by)]) + " " +
               kDoes[static_cast<std::size_t>(t.does)];
        const bool is_renamed =
            t.does == Does::alias_below || (t.does == Does::alias && question_.type != kCname);
        if (t.does != Does::passthru && !is_renamed)
            out_.block = blocks_[static_cast<std::size_t>(zone_of_best_)];
        switch (t.does) {
            case Does::nxdomain:
                out_.rcode = kNxDomain;
                return;
            case Does::nodata:
                return;
            case Does::passthru:
                put(answer != nullptr ? *answer : upstream(name));
                return;
            case Does::records:
                for (const auto& [type, data] : t.records) {
                    const std::uint16_t number = type == "A" ? kA : type == "TXT" ? kTxt : kAaaa;
                    if (number == question_.type)
                        out_.records.push_back({name, number, t.ttl_s, data});
                }
                return;
            case Does::alias:
            case Does::alias_below:
                break;
        }
        const std::string target = t.does == Does::alias ? t.target : name + "." + t.target;
        const Record cname{name, kCname, t.ttl_s, target};
        if (question_.type == kCname && t.does == Does::alias) {
            out_.records.push_back(cname);
            return;
        }
        const Answer other = upstream(target);
        if (other.rcode == kNoError || other.rcode == kNxDomain) out_.records.push_back(cname);
        put(other);
    }

    const std::vector<Zone>& zones_;
    const std::size_t legal_;
    const std::vector<std::string> blocks_;
    std::size_t from_ = 0, until_ = 0;  // the zones that best() reads
    std::ptrdiff_t zone_of_best_ = 0;
    Question question_;
    World world_;
    Outcome out_;
};

class Maker {
  public:
    explicit Maker(std::uint32_t seed) : random_(seed) {}

    std::vector<Zone> zones() {
        std::vector<Zone> out(1 + number(3));
        for (Zone& zone : out) {
            std::set<std::string> owners;
            for (unsigned n = 1 + number(7); n > 0; --n) {
                Trigger t = trigger();
                if (owners.insert(owner_of(t)).second) zone.push_back(std::move(t));
            }
        }
        return out;
    }
    Zone zone() { return zones().front(); }
    bool coin() { return number(2) == 0; }
    Question question() {
        constexpr std::array<std::uint16_t, 5> kTypes{kA, kA, kAaaa, kTxt, kCname};
        return {100'000, name(), kTypes[number(kTypes.size())], 1, false, false, client(), "",
                "",      ""};
    }

  private:
    unsigned number(std::size_t below) { return static_cast<unsigned>(random_() % below); }

    std::string name() {
        constexpr std::array kTops{"a.example", "b.example", "far.net", "example"};
        std::string out = kTops[number(kTops.size())];
        for (unsigned depth = number(3); depth > 0; --depth)
            out.insert(0, std::string(1, static_cast<char>('x' + number(2))) + ".");
        return number(12) == 0 ? "cdn.b.example" : out;
    }
    std::string client() {
        constexpr std::array kClients{"192.0.2.10", "192.0.2.17", "192.0.3.1", "2001:db8:1::9",
                                      "2001:db8:2::9"};
        return kClients[number(kClients.size())];
    }
    Trigger trigger() {
        struct Prefix {
            const char* address;
            unsigned length;
        };
        constexpr std::array<Prefix, 5> kClients{{{"192.0.2.17", 32},
                                                  {"192.0.2.0", 24},
                                                  {"192.0.2.0", 27},
                                                  {"2001:db8:1::9", 128},
                                                  {"2001:db8::", 32}}};
        constexpr std::array<Prefix, 8> kAddresses{{{"203.0.113.0", 24},
                                                    {"203.0.113.0", 25},
                                                    {"203.0.113.1", 32},
                                                    {"198.18.0.0", 15},
                                                    {"198.18.7.9", 32},
                                                    {"2001:db8::", 32},
                                                    {"2001:db8::2", 127},
                                                    {"0.0.0.0", 0}}};
        Trigger t;
        switch (number(8)) {
            case 0: {
                const Prefix& p = kClients[number(kClients.size())];
                t.by = By::client, t.address = p.address, t.length = p.length;
                break;
            }
            case 1:
            case 2: {
                const Prefix& p = kAddresses[number(kAddresses.size())];
                t.by = By::address, t.address = p.address, t.length = p.length;
                break;
            }
            case 3:
            case 4:
            case 5:
                t.by = By::below;
                t.name = number(10) == 0 ? "" : name();
                break;
            default:
                t.name = name();
        }
        t.ttl_s = 10 * (1 + number(4));
        t.does = static_cast<Does>(number(6));
        if (t.does == Does::alias) t.target = "walled." + name();
        if (t.does == Does::alias_below) t.target = "log.net";
        if (t.does == Does::records) {
            t.records.emplace_back("A", "192.0.2." + std::to_string(80 + number(4)));
            if (number(2) == 0) t.records.emplace_back("TXT", "blocked");
            if (number(3) == 0) t.records.emplace_back("AAAA", "fd00::80");
        }
        return t;
    }

    std::mt19937 random_;
};

Outcome shown(Outcome o) {
    std::erase_if(o.records, [](const Record& r) { return r.type == kSoa; });
    std::sort(o.records.begin(), o.records.end());
    o.nobody_answered = false;
    o.decision.clear();  // tables.cpp and the policies of naive.cpp compare it
    return o;
}

int run(std::uint32_t from, std::uint32_t cases) {
    constexpr unsigned kQuestions = 20, kRenewAfter = 1000;
    auto product = std::make_unique<Product>();
    std::map<std::string, unsigned> used;
    unsigned questions = 0;
    for (std::uint32_t seed = from; seed != from + cases; ++seed) {
        if ((seed - from) % kRenewAfter == kRenewAfter - 1) product = std::make_unique<Product>();
        Maker maker(seed);
        const std::vector<Zone> zones = maker.zones();
        std::string texts;
        std::vector<bool> is_transferred;
        for (unsigned z = 0; z < zones.size(); ++z) {
            const std::string text = zone_text(zones[z], z);
            is_transferred.push_back(maker.coin());
            if (!is_transferred.back())
                product->put_file("zone" + std::to_string(z) + ".rpz", text);
            texts += (is_transferred.back() ? "; by transfer\n" : "") + text;
        }
        std::vector<std::unique_ptr<Transferred>> transferred;
        for (unsigned z = 0; z < zones.size(); ++z) {
            if (is_transferred[z])
                transferred.push_back(
                    std::make_unique<Transferred>(*product, z, maker.zone(), zones[z]));
        }
        std::vector<bool> is_legal;
        std::vector<Zone> in_order;
        std::vector<std::string> blocks;
        const auto put = [&](std::size_t z) {
            in_order.push_back(zones[z]);
            blocks.push_back(terms_of(z, is_legal[z]).second);
        };
        for (std::size_t z = 0; z < zones.size(); ++z) {
            is_legal.push_back(maker.coin() && maker.coin());
            if (is_legal[z]) put(z);
        }
        const std::size_t legal = in_order.size();
        for (std::size_t z = 0; z < zones.size(); ++z) {
            if (!is_legal[z]) put(z);
            if (is_legal[z]) texts += "; zone " + std::to_string(z) + " is legal\n";
        }
        const auto errors = product->load(yaml_of(is_transferred, is_legal));
        if (!errors.empty()) {
            std::cout << "seed " << seed << " is refused: " << errors.front() << "\n" << texts;
            return 1;
        }
        Model model(in_order, legal, blocks);
        for (unsigned q = 0; q < kQuestions; ++q) {
            const Question question = maker.question();
            const Outcome got = shown(product->ask(question));
            const Outcome expected = shown(model.ask(question));
            ++questions;
            if (got == expected) {
                ++used[model.used];
                continue;
            }
            std::cout << "seed " << seed << " differs (" << model.used << "):\n"
                      << texts << text(question) << "\n  expected: " << text(expected)
                      << "\n  product:  " << text(got) << std::endl;
            return 1;
        }
    }
    std::printf("%u zones' sets, %u questions\n", cases, questions);
    for (const auto& [what, times] : used)
        std::printf("  %-20s %u\n", what.c_str(), times);
    // Four kinds of triggers with six actions each, and none.
    return cases < 1000 || used.size() == 25 ? 0 : 1;
}

}  // namespace
}  // namespace steer::differential

int main(int argc, char** argv) {
    using steer::differential::Seeds;
    return steer::differential::run_seeds("policy", argc, argv, [](const Seeds& seeds) {
        return steer::differential::run(seeds.from, seeds.count);
    });
}
