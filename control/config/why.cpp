#include "control/config/why.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "dataplane/dns/name.h"
#include "matchers/name_matcher.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

using matchers::RuleKind;
using Says = HoldingRule::Says;

struct Candidate {
    PluginIndex plugin;
    Says says;
    const RuleAt* at;
};

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

// Quickly, and never false for one that holds.
bool may_hold(const matchers::Rule& rule, std::string_view name) {
    switch (rule.kind) {
        case RuleKind::full:
        case RuleKind::domain:
            return name.ends_with(rule.text);
        case RuleKind::keyword:
            return name.find(rule.text) != std::string_view::npos;
        case RuleKind::regexp:
            return true;
    }
    return true;
}

class Search {
  public:
    Search(const Settings& settings, std::string_view name) : settings_(settings), name_(name) {}

    std::vector<Candidate> candidates() {
        for (PluginIndex i = 0; i < settings_.plugins.size(); ++i)
            std::visit([&](const auto& args) { look(i, args); }, settings_.plugins[i].args);
        return std::move(found_);
    }

  private:
    template <class Args>
    void look(PluginIndex plugin, const Args& args) {
        if constexpr (std::is_same_v<Args, AdguardSet>) {
            for (const AdguardStep& step : args.steps) {
                look_at(plugin, step.rules, step.in ? Says::in : Says::not_in);
                look_at(plugin, step.unless, Says::not_for);
            }
        } else if constexpr (requires { args.rules.front().rule.kind; }) {
            look_at(plugin, args.rules, Says::in);
        }
    }
    void look_at(PluginIndex plugin, const std::vector<RuleAt>& rules, Says says) {
        for (const RuleAt& at : rules)
            if (may_hold(at.rule, name_)) found_.push_back({plugin, says, &at});
    }

    const Settings& settings_;
    std::string_view name_;
    std::vector<Candidate> found_;
};

// Each candidate is a set of its own.
matchers::TagBits match(const Settings& settings, std::span<const Candidate> candidates,
                        std::span<const std::uint8_t> wire) {
    matchers::NameMatcherBuilder builder;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const RuleAt& at = *candidates[i].at;
        builder.add(static_cast<matchers::SetId>(i), at.rule, settings.files[at.file], at.line);
    }
    std::vector<Error> errors, warnings;
    const auto names = builder.build(errors, warnings);
    matchers::NameMatcher::Scratch scratch;
    if (names == nullptr || !names->prepare(scratch)) return {};
    return names->match(wire, scratch);
}

}  // namespace

Result<std::vector<HoldingRule>> rules_for(const Settings& settings, std::string_view name) {
    const auto read = matchers::parse_rule("full:" + std::string(name), RuleKind::full);
    if (!read) return read.error();
    const std::string& text = read->text;
    const auto wire = dns::name_from_text(text);
    if (!wire) return Error{matchers::quoted(name) + " is no domain name"};
    const std::vector<Candidate> all = Search(settings, text).candidates();
    std::vector<HoldingRule> out;
    for (std::size_t from = 0; from < all.size(); from += matchers::kMaxSets) {
        const std::span<const Candidate> some =
            std::span(all).subspan(from, std::min(matchers::kMaxSets, all.size() - from));
        const matchers::TagBits holds = match(settings, some, *wire);
        for (std::size_t i = 0; i < some.size(); ++i) {
            if (!holds.test(static_cast<matchers::SetId>(i))) continue;
            const RuleAt& at = *some[i].at;
            // Of what stands in the configuration itself the line says which file it is.
            const Error place = at.file == 0 ? settings.error(at.line, "")
                                             : Error{"", settings.files[at.file], at.line};
            out.push_back({some[i].plugin, some[i].says,
                           std::string(kind_text(at.rule.kind)) + at.rule.text, place.file,
                           place.line});
        }
    }
    return out;
}

std::string name_of(const Settings& settings, PluginIndex index) {
    const Plugin& plugin = settings.plugin(index);
    std::string out(plugin.type);
    if (!plugin.in_place) return out.append(" '").append(plugin.tag).append("'");
    return out.append(" in line ").append(std::to_string(line_in_source(plugin.line)));
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
