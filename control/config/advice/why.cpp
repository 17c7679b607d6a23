#include "control/config/advice/why.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "control/config/text/dns_names.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/name_matcher.h"
#include "matchers/name_text.h"
#include "matchers/pattern/match.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

using matchers::RuleKind;
using Says = HoldingRule::Says;

std::string_view kind_text(RuleKind kind) {
    switch (kind) {
        case RuleKind::full:
            return "full:";
        case RuleKind::domain:
            return "domain:";
        case RuleKind::keyword:
            return "keyword:";
        case RuleKind::regexp:
            return "regexp:";
    }
    return "";
}

bool is_pattern(const matchers::Rule& rule) {
    return rule.kind == RuleKind::keyword || rule.kind == RuleKind::regexp;
}

// How many queries are for a name, and for all below it and itself.
class NameCounts {
  public:
    explicit NameCounts(std::span<const AskedName> names) {
        for (const AskedName& asked : names) {
            const std::string_view name(reinterpret_cast<const char*>(asked.name.data()),
                                        asked.name.size());
            of_[name].itself += asked.queries;
            for (std::size_t at = 0; at < name.size();
                 at += std::size_t{static_cast<std::uint8_t>(name[at])} + 1)
                of_[name.substr(at)].below += asked.queries;
        }
    }
    // `rule` is full or domain.
    [[nodiscard]] std::uint64_t hits(const matchers::Rule& rule) const {
        const auto wire = dns::name_from_text(rule.text);
        if (!wire) return 0;
        const auto at =
            of_.find(std::string_view(reinterpret_cast<const char*>(wire->data()), wire->size()));
        if (at == of_.end()) return 0;
        return rule.kind == RuleKind::full ? at->second.itself : at->second.below;
    }

  private:
    struct Counts {
        std::uint64_t itself = 0, below = 0;
    };
    boost::unordered_flat_map<std::string_view, Counts> of_;  // by wire name
};

class Search {
  public:
    Search(const Settings& settings, std::span<const AskedName> names)
        : settings_(settings), names_(names), counts_(names) {
        for (const AskedName& asked :
             names_.first(names_.size() <= kFewNames ? names_.size() : 0)) {
            matchers::NameText room;
            texts_.emplace_back(matchers::name_text(asked.name, room));
        }
    }

    std::vector<HoldingRule> all() {
        for (PluginIndex i = 0; i < settings_.plugins.size(); ++i)
            std::visit([&](const auto& args) { inspect(i, args); }, settings_.plugins[i].args);
        scan();
        std::erase_if(found_, [](const HoldingRule& rule) { return rule.hits == 0; });
        return std::move(found_);
    }

  private:
    template <class Args>
    void inspect(PluginIndex plugin, const Args& args) {
        if constexpr (std::is_same_v<Args, DomainSet>) {
            for (const RuleStep& step : args.steps) {
                inspect(plugin, step.rules, step.in ? Says::in : Says::not_in);
                inspect(plugin, step.unless, Says::not_for);
            }
        } else if constexpr (std::is_same_v<Args, Rpz>) {
            for (const RpzZone& zone : args.zones)
                inspect_zone(plugin, zone);
        } else if constexpr (std::is_same_v<Args, AdList>) {
            inspect(plugin, args.allow.rules, Says::not_in);
        } else if constexpr (std::is_same_v<Args, Zone>) {
            inspect(plugin, args.names.rules, Says::in);
        } else if constexpr (std::is_same_v<Args, Dns64>) {
            inspect(plugin, args.except.rules, Says::not_in);
            inspect(plugin, args.keep.rules, Says::not_in);
        } else if constexpr (std::is_same_v<Args, StaticRecords>) {
            inspect_records(plugin, args);
        } else if constexpr (requires { args.rules.front().rule.kind; }) {
            inspect(plugin, args.rules, Says::in);
        }
    }
    void inspect(PluginIndex plugin, const std::vector<RuleAt>& rules, Says says) {
        for (const RuleAt& at : rules)
            inspect_rule(plugin, at, says);
    }
    void inspect_rule(PluginIndex plugin, const RuleAt& at, Says says) {
        const bool later = is_pattern(at.rule);
        if (later && !may_hold(at.rule)) return;
        const std::uint64_t hits = later ? 0 : counts_.hits(at.rule);
        if (!later && hits == 0) return;
        // For a rule in the configuration itself, the line tells the file.
        const Error place = at.file == 0 ? settings_.error(at.line, "")
                                         : Error{"", settings_.files[at.file], at.line};
        if (later) patterns_.push_back({&at, found_.size()});
        found_.push_back({plugin, says, rule_text(at.rule), place.file, place.line, hits});
    }
    // Each entry, in the order in which they are asked: the first one with data for the type decides.
    void inspect_records(PluginIndex plugin, const StaticRecords& records) {
        for (const StaticEntry& entry : records.entries)
            inspect_rule(plugin, entry.owner, Says::in);
    }
    // A wildcard matches subdomains of its name.
    void inspect_zone(PluginIndex plugin, const RpzZone& zone) {
        for (const RuleAt& at : zone.names) {
            const bool is_below = at.rule.kind == RuleKind::domain;
            std::uint64_t hits = counts_.hits(at.rule);
            if (is_below) hits -= counts_.hits({RuleKind::full, at.rule.text});
            if (hits == 0) continue;
            const bool passes = zone.actions[at.value].does == RpzAction::Does::passthru;
            found_.push_back({plugin, passes ? Says::not_in : Says::in,
                              (is_below ? "*." : "") + at.rule.text, settings_.files[at.file],
                              at.line, hits});
        }
    }
    // A fast filter without false negatives; it knows the keywords of a few names.
    [[nodiscard]] bool may_hold(const matchers::Rule& rule) const {
        return rule.kind != RuleKind::keyword || names_.size() > kFewNames ||
               std::any_of(texts_.begin(), texts_.end(), [&](const std::string& text) {
                   return text.find(rule.text) != std::string::npos;
               });
    }
    // Each pattern is a separate set, in batches of the maximum number of sets.
    void scan() {
        for (std::span<const PatternAt> left(patterns_); !left.empty();) {
            const auto some = left.first(std::min(matchers::kMaxSets, left.size()));
            left = left.subspan(some.size());
            matchers::NameMatcherBuilder builder;
            for (std::size_t i = 0; i < some.size(); ++i)
                builder.add(static_cast<matchers::SetId>(i), some[i].at->rule);
            std::vector<Error> errors, warnings;
            const auto matcher = builder.build(errors, warnings);
            matchers::NameMatcher::Scratch scratch;
            if (matcher == nullptr || !matcher->prepare(scratch)) continue;
            for (const AskedName& asked : names_) {
                const matchers::TagBits holds = matcher->match(asked.name, scratch);
                for (std::size_t i = 0; i < some.size(); ++i) {
                    if (holds.test(static_cast<matchers::SetId>(i)))
                        found_[some[i].found].hits += asked.queries;
                }
            }
        }
    }

    static constexpr std::size_t kFewNames = 16;
    struct PatternAt {
        const RuleAt* at;
        std::size_t found;  // in found_
    };

    const Settings& settings_;
    std::span<const AskedName> names_;
    std::vector<std::string> texts_;  // of few names
    NameCounts counts_;
    std::vector<PatternAt> patterns_;
    std::vector<HoldingRule> found_;
};

}  // namespace

std::vector<HoldingRule> rules_for(const Settings& settings, std::span<const AskedName> names) {
    return Search(settings, names).all();
}

Result<std::vector<HoldingRule>> rules_for(const Settings& settings, std::string_view name) {
    // A zone file may have an owner such as `a+b.example`; these bytes are forms of rules or URLs, unless escaped.
    constexpr std::string_view kOfForms = "/:|^;,*'\"#$@ \t";
    auto wire = asked_name(name);
    const bool is_form = name.find_first_of(kOfForms) != std::string_view::npos;
    if (!wire || is_form) {
        const auto read =
            matchers::parse_name(name, {.any_escape = true, .alone = true, .numbers = true});
        if (!read) return read.error();
        if (!wire) return Error{matchers::quoted(name) + " is not a domain name"};
    }
    // The counts are by names in lower case.
    dns::lower_case(wire->data(), wire->data(), wire->size());
    const std::vector<AskedName> one{{*std::move(wire), 1}};
    return rules_for(settings, one);
}

std::string name_of(const Settings& settings, PluginIndex index) {
    const Plugin& plugin = settings.plugin(index);
    std::string out(plugin.type);
    if (!plugin.in_place) return out.append(" '").append(plugin.tag).append("'");
    for (const Plugin& owner : settings.plugins) {
        const auto* const ads = std::get_if<AdList>(&owner.args);
        const auto has = [&](const AdListPart& part) {
            const auto* const set = std::get_if<DomainSet>(&settings.plugin(part.provider).args);
            return part.provider == index || (set != nullptr && set->exceptions == index);
        };
        if (ads != nullptr && std::ranges::any_of(ads->lists, has))
            return std::string(owner.type).append(" '").append(owner.tag).append("'");
    }
    return out.append(" in line ").append(std::to_string(line_in_source(plugin.line)));
}

std::string rule_text(const matchers::Rule& rule) {
    return std::string(kind_text(rule.kind)) + rule.text;
}

std::string_view text_of(Says says) {
    switch (says) {
        case Says::in:
            return "in";
        case Says::not_in:
            return "not in";
        case Says::not_for:
            return "not for";
    }
    return "";
}

}  // namespace steer::config
