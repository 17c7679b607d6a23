// tables [--from SEED] [--count N]: random tables of static records, ad lists and zones, asked of the product and of a model
// that reads the same table from top to bottom, as the documentation tells it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "differential/product.h"
#include "differential/seeds.h"
#include "differential/world.h"

namespace steer::differential {
namespace {

constexpr const char* kOutside = "198.51.100.53";
constexpr const char* kForwarder = "198.51.100.54";
constexpr const char* kZone = "198.51.100.55";
constexpr std::uint32_t kDeniedTtl = 300;
constexpr unsigned kMaxEntered =
    2;  // what docs/reference/configuration.md says of aliases by patterns

enum class Does { record, alias, forward, nxdomain };
struct Entry {
    bool is_regexp = false, below = false;
    std::string owner;
    Does does = Does::record;
    std::uint16_t type = kA;
    std::string data;  // address, text or target
    std::string forwarder;
    std::uint32_t ttl_s = 0;
};

struct Table {
    std::vector<Entry> entries;  // as they are written
    std::vector<std::string> denied, allowed, zone;
    std::string terms, block;  // settings of the ad list; the extended error of its blocks

    [[nodiscard]] std::string yaml() const;
};

std::string quoted(const std::string& text) {
    return "'" + text + "'";
}

std::string list_of(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts)
        out += (out.empty() ? "" : ", ") + quoted(text);
    return "[" + out + "]";
}

std::string record_of(const Entry& e) {
    std::string out = "{" + std::string(e.is_regexp ? "regexp: " : "name: ") + quoted(e.owner) +
                      ", ttl: " + std::to_string(e.ttl_s);
    if (e.below) out += ", match_subdomain: true";
    if (e.does == Does::nxdomain) out += ", type: NXDOMAIN";
    if (e.does == Does::alias) out += ", type: CNAME, cname: " + quoted(e.data);
    if (e.does == Does::forward)
        out += ", type: FWD" + (e.forwarder.empty() ? "" : ", forward_to: " + e.forwarder);
    if (e.does == Does::record && e.type == kTxt) out += ", type: TXT, text: " + quoted(e.data);
    if (e.does == Does::record && e.type != kTxt) out += ", address: " + quoted(e.data);
    return out + "}";
}

std::string Table::yaml() const {
    std::string out = "plugins:\n  - tag: records\n    type: static\n    args:\n      records: [\n";
    for (const Entry& e : entries)
        out += "        " + record_of(e) + ",\n";
    out += "        ]\n";
    out += "  - {tag: own, type: zone, args: {names: " + list_of(zone) +
           ", forward: {upstreams: [{addr: " + kZone + "}]}}}\n";
    out += "  - {tag: ads, type: adlist, args: {lists: [{list: ads.txt" + terms +
           "}], allow: " + list_of(allowed) + "}}\n";
    out += "  - {tag: out, type: forward, args: {upstreams: [{addr: " + std::string(kOutside) +
           "}]}}\n";
    out +=
        "  - tag: main\n    type: sequence\n    args:\n      - {exec: $records}\n"
        "      - {exec: $own}\n      - {exec: $ads}\n      - {exec: $out}\n";
    return out;
}

// In RouterOS's form, and as bare names.
std::string ad_file(const Table& table) {
    std::string out = "# ads\n";
    bool is_bare = false;
    for (const std::string& name : table.denied) {
        out += (is_bare ? "" : "0.0.0.0 ") + name + "\n";
        is_bare = !is_bare;
    }
    return out;
}

bool is_below(const std::string& name, const std::string& zone) {
    return name == zone || (name.size() > zone.size() && name.ends_with(zone) &&
                            name[name.size() - zone.size() - 1] == '.');
}

// The documentation, read from top to bottom.
class Model {
  public:
    explicit Model(const Table& table) : table_(table) {
        for (const Entry& e : table.entries) {
            if (e.is_regexp) order_.push_back(&e);
        }
        for (const Entry& e : table.entries) {
            if (!e.is_regexp) order_.push_back(&e);
        }
    }

    Outcome ask(const std::string& name, std::uint16_t type) {
        out_ = {};
        is_allowed_ = is_renamed_ = is_checked_ = false;
        answer(name, type, 0);
        const bool points_to_ads = std::ranges::any_of(out_.records, [this](const Record& r) {
            return r.type == kCname && is_denied(r.data);
        });
        if (is_checked_ && points_to_ads) deny(name, type);
        if (out_.decision.empty())
            out_.decision = is_allowed_ ? "allowed" : is_renamed_ ? "rewritten" : "forwarded";
        return out_;
    }

  private:
    [[nodiscard]] static bool matches(const Entry& e, const std::string& name) {
        if (e.is_regexp) return std::regex_search(name, std::regex(e.owner));
        return e.below ? is_below(name, e.owner) : name == e.owner;
    }
    [[nodiscard]] static bool is_same_owner(const Entry& a, const Entry& b) {
        return a.is_regexp == b.is_regexp && a.below == b.below && a.owner == b.owner;
    }
    [[nodiscard]] static bool says(const Entry& e, std::uint16_t type) {
        return e.does != Does::record || e.type == type;
    }

    void answer(const std::string& name, std::uint16_t type, unsigned entered) {
        bool exists = false;
        // Entries of one owner stand together, where the first of them stands.
        for (const Entry* first : order_) {
            if (!matches(*first, name)) continue;
            exists = true;
            for (const Entry* e : order_) {
                if (is_same_owner(*first, *e) && says(*e, type))
                    return decide(*e, name, type, entered);
            }
        }
        rest(name, type);
        const bool denied_by_all = out_.rcode == kNxDomain;
        if (exists && entered < kMaxEntered && denied_by_all)
            out_.rcode = kNoError, out_.records = {}, out_.decision = "local";
    }

    void decide(const Entry& e, const std::string& name, std::uint16_t type, unsigned entered) {
        if (e.does == Does::nxdomain || e.does == Does::record) out_.decision = "local";
        switch (e.does) {
            case Does::nxdomain:
                out_.rcode = kNxDomain;
                return;
            case Does::forward:
                if (e.forwarder.empty()) return rest(name, type);
                return upstream(kForwarder, name, type);
            case Does::alias:
                return alias(e, name, type, entered);
            case Does::record:
                for (const Entry* other : order_) {
                    const Record r{name, type, other->ttl_s, other->data};
                    if (is_same_owner(e, *other) && other->does == Does::record &&
                        other->type == type &&
                        std::ranges::find(out_.records, r.data, &Record::data) ==
                            out_.records.end())
                        out_.records.push_back(r);
                }
        }
    }

    [[nodiscard]] std::string last_target(const Entry& e) const {
        std::string target = e.data;
        for (bool again = true; again;) {
            again = false;
            for (const Entry* other : order_) {
                if (other->does != Does::alias || other->is_regexp || other->below ||
                    other->owner != target)
                    continue;
                target = other->data;
                again = true;
                break;
            }
        }
        return target;
    }

    void alias(const Entry& e, const std::string& name, std::uint16_t type, unsigned entered) {
        if (type == kCname) {
            out_.decision = "local";
            out_.records.push_back({name, kCname, e.ttl_s, e.data});
            return;
        }
        if (entered == kMaxEntered) {
            out_.rcode = kServFail;
            out_.decision = "local";
            return;
        }
        is_renamed_ = true;
        const std::string target = last_target(e);
        answer(target, type, entered + 1);
        if (out_.rcode == kServFail || out_.rcode == 5) return;  // failures come as they are
        out_.records.insert(out_.records.begin(), {name, kCname, e.ttl_s, target});
    }

    // What is behind the static records.
    void rest(const std::string& name, std::uint16_t type) {
        if (std::ranges::any_of(table_.zone, [&](const auto& z) { return is_below(name, z); }))
            return upstream(kZone, name, type);
        is_allowed_ = is_allowed_ || (is_listed(name) && is_excepted(name));
        if (is_denied(name)) return deny(name, type);
        is_checked_ = !is_excepted(name);
        upstream(kOutside, name, type);
    }

    [[nodiscard]] bool is_listed(const std::string& name) const {
        return std::ranges::find(table_.denied, name) != table_.denied.end();
    }
    [[nodiscard]] bool is_excepted(const std::string& name) const {
        return std::ranges::any_of(table_.allowed,
                                   [&](const auto& a) { return is_below(name, a); });
    }
    [[nodiscard]] bool is_denied(const std::string& name) const {
        return is_listed(name) && !is_excepted(name);
    }
    void deny(const std::string& name, std::uint16_t type) {
        out_.rcode = kNoError;
        out_.records.clear();
        out_.decision = "blocked";
        out_.block = table_.block;
        if (type == kA) out_.records.push_back({name, kA, kDeniedTtl, "0.0.0.0"});
        if (type == kAaaa) out_.records.push_back({name, kAaaa, kDeniedTtl, "::"});
    }

    void upstream(const char* who, const std::string& name, std::uint16_t type) {
        out_.asked.push_back(who);
        const auto reply = world_.ask(who, name, type, 1);
        if (!reply) {
            out_.rcode = kServFail;
            return;
        }
        out_.rcode = reply->rcode;
        out_.records = reply->answer;
    }

    const Table& table_;
    std::vector<const Entry*> order_;
    World world_;
    Outcome out_;
    bool is_allowed_ = false, is_renamed_ = false;
    bool is_checked_ = false;  // the ad list checks the names that the answer points to
};

class Maker {
  public:
    explicit Maker(std::uint32_t seed) : random_(seed) {}

    Table table() {
        Table t;
        const unsigned count = number(12) + 1;
        for (unsigned i = 0; i < count; ++i)
            t.entries.push_back(entry());
        remove_circles(t);
        for (unsigned n = 1 + number(4); n > 0; --n)
            t.denied.push_back(name());
        t.allowed.push_back(name());
        t.zone.push_back(name());
        const unsigned kind = number(3);
        t.terms = std::array{"", ", requested: true", ", public_name: 'Ads and trackers'"}[kind];
        t.block = std::array{"15 ", "17 ", "15 Ads and trackers"}[kind];
        return t;
    }
    std::string name() {
        constexpr std::array kTops{"lan", "example", "house.lan"};
        std::string out = kTops[number(kTops.size())];
        for (unsigned depth = number(3); depth > 0; --depth)
            out.insert(out.begin(), {static_cast<char>('a' + number(3)), '.'});
        return out;
    }
    std::uint16_t type() {
        constexpr std::array<std::uint16_t, 4> kTypes{kA, kAaaa, kTxt, kCname};
        return kTypes[number(kTypes.size())];
    }

  private:
    unsigned number(std::size_t below) { return static_cast<unsigned>(random_() % below); }

    Entry entry() {
        Entry e;
        e.is_regexp = number(6) == 0;
        constexpr std::array kPatterns{"^[ab]\\.lan$", "^a\\.", "house", "^[a-c]\\.[a-c]\\."};
        e.owner = e.is_regexp ? kPatterns[number(kPatterns.size())] : name();
        e.below = !e.is_regexp && number(4) == 0;
        e.ttl_s = 10 * (1 + number(3));
        switch (number(8)) {
            case 0:
                e.does = Does::nxdomain;
                break;
            case 1:
                e.does = Does::forward;
                if (number(2) == 0) e.forwarder = kForwarder;
                break;
            case 2:
            case 3:
                e.does = Does::alias;
                e.data = name();
                break;
            default:
                record(e);
        }
        return e;
    }
    void record(Entry& e) {
        constexpr std::array<std::uint16_t, 4> kTypes{kA, kA, kAaaa, kTxt};
        e.type = kTypes[number(kTypes.size())];
        const std::string last = std::to_string(1 + number(4));
        e.data = e.type == kA ? "192.0.2." + last : e.type == kAaaa ? "fd00::" + last : "t" + last;
    }
    // Those are an error, which tests/unit/config has.
    static void remove_circles(Table& t) {
        std::map<std::string, std::string> aliases;
        for (const Entry& e : t.entries) {
            if (e.does == Does::alias && !e.is_regexp && !e.below)
                aliases.try_emplace(e.owner, e.data);
        }
        std::erase_if(t.entries, [&](const Entry& e) {
            if (e.does != Does::alias) return false;
            std::string at = e.data;
            std::vector<std::string> seen{e.owner};
            for (;;) {
                if (std::ranges::find(seen, at) != seen.end()) return true;
                const auto next = aliases.find(at);
                if (next == aliases.end()) return false;
                seen.push_back(at);
                at = next->second;
            }
        });
        // TTLs of a set are one (RFC 2181 5.2); which one is not what this is about.
        for (Entry& e : t.entries) {
            for (const Entry& other : t.entries) {
                if (other.owner == e.owner && other.type == e.type) {
                    e.ttl_s = other.ttl_s;
                    break;
                }
            }
        }
    }

    std::mt19937 random_;
};

// What is compared: no authority section, whose SOA is ours or the upstream's.
Outcome shown(Outcome o) {
    std::erase_if(o.records, [](const Record& r) { return r.type == kSoa; });
    std::sort(o.records.begin(), o.records.end());
    o.nobody_answered = false;
    return o;
}

struct Totals {
    unsigned tables = 0, questions = 0, own = 0, aliases = 0, nxdomain = 0, forwarded = 0,
             outside = 0, denied = 0, loops = 0;
};

// Whether some alias never comes to an end: each query for it fails.
bool has_loop(Model& model, const Table& table) {
    constexpr std::uint16_t kA = 1;
    return std::ranges::any_of(table.entries, [&](const Entry& e) {
        return e.does == Does::alias && !e.is_regexp &&
               model.ask(e.below ? "x." + e.owner : e.owner, kA).rcode == kServFail;
    });
}

void count(Totals& t, const Outcome& o) {
    ++t.questions;
    if (o.asked.empty() && !o.records.empty()) ++t.own;
    if (o.records.size() > 1 && o.records.front().type == kCname) ++t.aliases;
    if (o.rcode == kNxDomain) ++t.nxdomain;
    if (!o.records.empty() && o.records.back().ttl_s == kDeniedTtl && o.asked.empty()) ++t.denied;
    if (std::ranges::find(o.asked, kForwarder) != o.asked.end()) ++t.forwarded;
    if (std::ranges::find(o.asked, kOutside) != o.asked.end()) ++t.outside;
}

int run(std::uint32_t from, std::uint32_t tables) {
    constexpr unsigned kQuestions = 20, kRenewAfter = 1000;
    auto product = std::make_unique<Product>();
    Totals t;
    for (std::uint32_t seed = from; seed != from + tables; ++seed) {
        if ((seed - from) % kRenewAfter == kRenewAfter - 1) product = std::make_unique<Product>();
        Maker maker(seed);
        const Table table = maker.table();
        product->put_file("ads.txt", ad_file(table));
        const auto errors = product->load(table.yaml());
        Model model(table);
        if (!errors.empty()) {
            if (errors.front().find(" form a loop ") != std::string::npos &&
                has_loop(model, table)) {
                ++t.loops;
                continue;
            }
            std::cout << "seed " << seed << " is refused: " << errors.front() << "\n"
                      << table.yaml();
            return 1;
        }
        ++t.tables;
        for (unsigned q = 0; q < kQuestions; ++q) {
            const Question question{100'000, maker.name(), maker.type(), 1,
                                    false,   false,        "192.0.2.9"};
            const Outcome got = shown(product->ask(question));
            const Outcome expected = shown(model.ask(question.name, question.type));
            if (got == expected) {
                count(t, expected);
                continue;
            }
            std::cout << "seed " << seed << " differs:\n"
                      << table.yaml() << text(question) << "\n  expected: " << text(expected)
                      << "\n  product:  " << text(got) << std::endl;
            return 1;
        }
    }
    std::printf(
        "%u tables, %u questions: %u answered here, %u through aliases, %u NXDOMAIN, %u asked of a "
        "forwarder, %u denied, %u outside; %u tables refused for their loops\n",
        t.tables, t.questions, t.own, t.aliases, t.nxdomain, t.forwarded, t.denied, t.outside,
        t.loops);
    const unsigned some = t.questions / 50;
    return t.loops < t.tables / 20 && t.own > some && t.aliases > some && t.nxdomain > some &&
                   t.forwarded > some && t.denied > some / 2 && t.outside > some
               ? 0
               : 1;
}

}  // namespace
}  // namespace steer::differential

int main(int argc, char** argv) {
    using steer::differential::Seeds;
    return steer::differential::run_seeds("tables", argc, argv, [](const Seeds& seeds) {
        return steer::differential::run(seeds.from, seeds.count);
    });
}
