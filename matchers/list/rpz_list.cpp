// A response policy zone (draft-vixie-dnsop-dns-rpz) in zone text: its triggers by name, as rules.
//
// "d" is d alone, "*.d" what is below it; lists write both, which is one rule. CNAME rpz-passthru. lets a name through,
// everything else (CNAME ., *., rpz-drop., addresses of its own) is a name that is not.
#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <utility>
#include <vector>

#include "matchers/list/lines.h"
#include "matchers/list/name_list.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

bool is_other_trigger(std::string_view owner) {
    constexpr std::string_view kOthers[] = {".rpz-ip", ".rpz-client-ip", ".rpz-nsip",
                                            ".rpz-nsdname"};
    return std::ranges::any_of(kOthers, [&](auto other) { return owner.ends_with(other); });
}

struct Trigger {
    std::string owner;
    int line;
};

class Zone {
  public:
    Zone(std::string_view file, bool passthru)
        : out_{{{}, BadLines(file)}, 0}, passthru_(passthru) {}

    void read(std::string_view bytes) {
        // Not Lines: whether a line begins with a blank tells if it has an owner.
        for (int number = 1; !bytes.empty(); ++number) {
            const auto end = std::min(bytes.find('\n'), bytes.size());
            read_line(bytes.substr(0, end), number);
            bytes.remove_prefix(std::min(end + 1, bytes.size()));
        }
    }

    NameList finish() && {
        boost::unordered_flat_set<std::string_view> alone, below;
        for (const Trigger& t : triggers_) {
            if (t.owner.starts_with("*.")) {
                below.insert(std::string_view(t.owner).substr(2));
            } else {
                alone.insert(t.owner);
            }
        }
        for (const Trigger& t : triggers_) {
            const bool wild = t.owner.starts_with("*.");
            const std::string_view name = std::string_view(t.owner).substr(wild ? 2 : 0);
            if (!wild && below.contains(name)) continue;  // its other line says both
            if (wild && !alone.contains(name)) {
                out_.list.bad.add({quoted(t.owner) + " without " + quoted(name) +
                                   ": a set cannot hold what is below a name alone"},
                                  t.line);
                continue;
            }
            auto rule = parse_rule(name, wild ? RuleKind::domain : RuleKind::full);
            if (rule && rule->kind != RuleKind::keyword && rule->kind != RuleKind::regexp) {
                out_.list.rules.push_back({*std::move(rule), t.line});
            } else {
                out_.list.bad.add(
                    rule ? Error{quoted(name) + " is no name"} : std::move(rule).error(), t.line);
            }
        }
        return std::move(out_);
    }

  private:
    void read_line(std::string_view text, int number) {
        text = text.substr(0, text.find(';'));
        const bool has_owner = !text.empty() && kBlank.find(text.front()) == std::string_view::npos;
        std::vector<std::string_view> words;
        for (std::string_view rest = trimmed(text); !rest.empty();) {
            const auto end = std::min(rest.find_first_of(kBlank), rest.size());
            words.push_back(rest.substr(0, end));
            rest = trimmed(rest.substr(end));
        }
        if (words.empty()) return;
        const bool inside = parentheses_ > 0;
        parentheses_ += static_cast<int>(std::ranges::count(text, '(')) -
                        static_cast<int>(std::ranges::count(text, ')'));
        if (inside) return;
        if (words[0] == "$ORIGIN" && words.size() > 1) {
            origin_ = lowered(words[1]);
            return;
        }
        if (words[0].starts_with('$')) return;
        std::size_t at = 0;
        if (has_owner) owner_ = absolute(words[at++]);
        while (at < words.size() && is_ttl_or_class(words[at]))
            ++at;
        if (at == words.size()) {
            out_.list.bad.add({"no type of a record in " + quoted(trimmed(text))}, number);
            return;
        }
        const std::string type = lowered(words[at]);
        const std::string data = at + 1 < words.size() ? lowered(words[at + 1]) : std::string();
        const bool is_passthru = type == "cname" && data == "rpz-passthru.";
        const bool is_of_zone = type == "soa" || type == "ns";
        if (is_other_trigger(owner_)) {
            out_.list.bad.add({quoted(owner_) + " is no trigger by the question's name"}, number);
        } else if (is_of_zone || is_passthru != passthru_) {
            ++out_.left_out;
        } else {
            triggers_.push_back({owner_, number});
        }
    }

    // Without the zone's name and the last dot.
    [[nodiscard]] std::string absolute(std::string_view owner) const {
        if (owner == "@") return {};
        std::string name = lowered(owner);
        if (!name.ends_with('.')) return name;
        if (origin_.size() > 1 && name.ends_with("." + origin_))
            name.resize(name.size() - origin_.size() - 1);
        if (name.ends_with('.')) name.pop_back();
        return name;
    }
    static bool is_ttl_or_class(std::string_view word) {
        const std::string low = lowered(word);
        return low == "in" || (!low.empty() && low[0] >= '0' && low[0] <= '9');
    }

    NameList out_;
    bool passthru_;
    int parentheses_ = 0;
    std::string origin_, owner_;
    std::vector<Trigger> triggers_;
};

}  // namespace

NameList read_rpz(std::string_view bytes, std::string_view file, bool passthru) {
    Zone zone(file, passthru);
    zone.read(bytes);
    return std::move(zone).finish();
}

}  // namespace steer::matchers
