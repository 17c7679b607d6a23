#include "control/config/advice/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxSteps =
    65535;  // a program has no more; sequences used in place may multiply

const Sequence* sequence_of(const Plugin& plugin) {
    return std::get_if<Sequence>(&plugin.args);
}

// A matcher that never holds while there is no response.
bool needs_response(const Plugin& plugin) {
    if (const auto* number = std::get_if<NumberMatch>(&plugin.args))
        return number->of == NumberOf::rcode;
    if (const auto* ip = std::get_if<IpMatch>(&plugin.args)) return ip->of == AddressOf::response;
    if (const auto* text = std::get_if<TextMatch>(&plugin.args)) {
        return text->of == TextOf::response && text->operation != matchers::TextOperation::zl &&
               text->operation != matchers::TextOperation::regexp;
    }
    return std::holds_alternative<HasResp>(plugin.args) ||
           std::holds_alternative<HasWantedAnswer>(plugin.args) ||
           std::holds_alternative<Cname>(plugin.args);
}

bool asks_upstream(const Plugin& plugin) {
    return std::holds_alternative<Forward>(plugin.args) ||
           std::holds_alternative<Fallback>(plugin.args);
}

// ---- what a plugin refers to

// The plugins in the rules from `first` on, or one plugin, with everything they refer to.
class Reachable {
  public:
    Reachable(const Settings& settings, PluginIndex plugin)
        : settings_(settings), seen_(settings.plugins.size()) {
        visit(plugin);
    }
    Reachable(const Settings& settings, const Sequence& sequence, std::size_t first)
        : settings_(settings), seen_(settings.plugins.size()) {
        for (std::size_t i = first; i < sequence.rules.size(); ++i) {
            const ExecRule& rule = sequence.rules[i];
            for (const MatchUse& m : rule.matches)
                visit(m.plugin);
            if (rule.runs_plugin()) visit(rule.plugin);
        }
    }
    template <class Predicate>
    [[nodiscard]] const Plugin* find(Predicate holds) const {
        for (PluginIndex i = 0; i < seen_.size(); ++i) {
            if (seen_[i] && holds(settings_.plugins[i])) return &settings_.plugins[i];
        }
        return nullptr;
    }

  private:
    void visit(PluginIndex i) {
        std::vector<PluginIndex> todo{i};
        while (!todo.empty()) {
            const PluginIndex next = todo.back();
            todo.pop_back();
            if (seen_[next]) continue;
            seen_[next] = true;
            for (const auto& [other, line] : references_of(settings_.plugins[next]))
                todo.push_back(other);
        }
    }

    const Settings& settings_;
    std::vector<bool> seen_;
};

// ---- what acts on a response, where there is none yet

bool may_bring_response(const Plugin& plugin) {
    const auto* reverse = std::get_if<ReverseLookup>(&plugin.args);
    return asks_upstream(plugin) || std::holds_alternative<Cache>(plugin.args) ||
           std::holds_alternative<BlackHole>(plugin.args) ||
           std::holds_alternative<Hosts>(plugin.args) ||
           std::holds_alternative<Arbitrary>(plugin.args) ||
           std::holds_alternative<Rpz>(plugin.args) || (reverse != nullptr && reverse->handle_ptr);
}

// Whether it needs a response and does not wrap the plugin that gets one.
bool acts_on_response(const Plugin& plugin) {
    return std::holds_alternative<Ttl>(plugin.args) ||
           std::holds_alternative<DropResp>(plugin.args) ||
           std::holds_alternative<KernelSets>(plugin.args);
}

// The first rules of a query, up to the first that may bring a response. Other sequences are not checked, because they
// may also run after a response.
void advise_early(Reading& in, const Plugin& entry) {
    const Settings& settings = in.settings();
    const Sequence* sequence = sequence_of(entry);
    if (sequence == nullptr) return;
    for (const ExecRule& rule : sequence->rules) {
        const auto asks =
            std::find_if(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& m) {
                return !m.negate && needs_response(settings.plugins[m.plugin]);
            });
        if (asks != rule.matches.end()) {
            in.report().warn(rule.line, owner_of(settings.plugins[asks->plugin]) + " in '" +
                                            entry.tag +
                                            "' tests a response before there can be one, and never "
                                            "matches: move it after the forward");
            continue;
        }
        if (rule.kind == ExecRule::Kind::goto_) return;
        if (!rule.runs_plugin()) continue;
        const Plugin& exec = settings.plugins[rule.plugin];
        if (acts_on_response(exec)) {
            in.report().warn(rule.line, owner_of(exec) + " in '" + entry.tag +
                                            "' changes a response before there can be one, and has "
                                            "no effect: move it after the forward");
        }
        if (Reachable(settings, rule.plugin).find(may_bring_response) != nullptr) return;
    }
}

// prefer_ipv6 treats a synthesized AAAA like an original one.
void advise_prefer_dns64(Reading& in, const Plugin& plugin, const Sequence& sequence) {
    const Settings& settings = in.settings();
    for (std::size_t r = 0; r < sequence.rules.size(); ++r) {
        const ExecRule& rule = sequence.rules[r];
        if (rule.kind != ExecRule::Kind::plugin) continue;
        const Plugin& exec = settings.plugins[rule.plugin];
        const auto* const prefer = std::get_if<Prefer>(&exec.args);
        if (prefer == nullptr || !prefer->v6) continue;
        const Plugin* const dns64 = Reachable(settings, sequence, r + 1).find([](const Plugin& p) {
            const auto* const args = std::get_if<Dns64>(&p.args);
            return args != nullptr && args->allow_ipv4;
        });
        if (dns64 == nullptr) continue;
        in.report().warn(
            rule.line,
            owner_of(exec) + " around " + owner_of(*dns64) + " of '" + plugin.tag +
                "' removes A records of names without AAAA records too: dns64 synthesizes AAAA for "
                "IPv4 clients; remove 'allow_ipv4', or move prefer_ipv6 after dns64");
    }
}

// `jumped`: a `return` ends only this sequence.
bool can_stop(const Settings& settings, const Sequence& sequence, bool jumped, std::size_t& steps) {
    using Kind = ExecRule::Kind;
    for (const ExecRule& rule : sequence.rules) {
        if (++steps > kMaxSteps) return false;
        if (rule.kind == Kind::accept || rule.kind == Kind::reject || rule.kind == Kind::drop ||
            (rule.kind == Kind::return_ && !jumped)) {
            return true;
        }
        const Sequence* inner =
            rule.runs_plugin() ? sequence_of(settings.plugins[rule.plugin]) : nullptr;
        const bool jumps = jumped || rule.kind == Kind::jump;
        if (inner != nullptr && can_stop(settings, *inner, jumps, steps)) return true;
    }
    return false;
}

void advise_nested(Reading& in, const Plugin& plugin, const Sequence& sequence) {
    for (const ExecRule& rule : sequence.rules) {
        if (rule.kind != ExecRule::Kind::plugin) continue;
        const Plugin& exec = in.settings().plugins[rule.plugin];
        std::size_t steps = 0;
        const Sequence* inner = sequence_of(exec);
        if (inner == nullptr || !can_stop(in.settings(), *inner, false, steps)) continue;
        in.report().warn(rule.line, "accept, reject, drop and return inside '" + exec.tag +
                                        "' end '" + plugin.tag +
                                        "' as well (in mosdns they end only '" + exec.tag + "')");
    }
}

// ---- paths that end without an answer

// Follows the rules for queries that get no response unless one is certain. It remembers the condition of
// a forward, so that `x` and `!x` together count as always.
class AnswerWalk {
  public:
    explicit AnswerWalk(const Settings& settings) : settings_(settings) {}

    // `ended`: a goto replaced the rest and has ended; the caller continues.
    enum class End : std::uint8_t { falls_through, answered, unanswered, returned, ended };

    End walk(const Sequence& sequence) {
        bool may_end = false;
        for (const ExecRule& rule : sequence.rules) {
            if (++steps_ > kMaxSteps) return End::answered;
            const bool always = holds_without_response(rule);
            if (!always && never_holds_without_response(rule)) continue;
            const End end = run(rule, always);
            may_end = may_end || (end == End::ended && !always);
            if (end == End::falls_through || (end == End::ended && !always)) continue;
            return may_end && end == End::answered ? End::ended : end;
        }
        return may_end ? End::ended : End::falls_through;
    }

  private:
    [[nodiscard]] bool holds_without_response(const ExecRule& rule) const {
        return std::all_of(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& m) {
            if (m.negate && needs_response(settings_.plugins[m.plugin])) return true;
            const auto* constant = std::get_if<Constant>(&settings_.plugins[m.plugin].args);
            return constant != nullptr && constant->value != m.negate;
        });
    }
    [[nodiscard]] bool never_holds_without_response(const ExecRule& rule) const {
        return std::any_of(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& m) {
            if (!m.negate && needs_response(settings_.plugins[m.plugin])) return true;
            const auto* constant = std::get_if<Constant>(&settings_.plugins[m.plugin].args);
            return constant != nullptr && constant->value == m.negate;
        });
    }

    End run(const ExecRule& rule, bool always) {
        switch (rule.kind) {
            case ExecRule::Kind::mark:
                return End::falls_through;
            case ExecRule::Kind::reject:
            case ExecRule::Kind::drop:
                return always ? End::answered : End::falls_through;
            case ExecRule::Kind::accept:
                return End::unanswered;  // at least for those that match
            case ExecRule::Kind::return_:
                return End::returned;
            case ExecRule::Kind::jump: {
                const End end = walk(*sequence_of(settings_.plugins[rule.plugin]));
                const bool goes_on =
                    end == End::returned || end == End::ended || (end == End::answered && !always);
                return goes_on ? End::falls_through : end;
            }
            case ExecRule::Kind::goto_: {
                const End end = walk(*sequence_of(settings_.plugins[rule.plugin]));
                if (end == End::falls_through) return End::ended;
                return end == End::answered && !always ? End::falls_through : end;
            }
            case ExecRule::Kind::plugin:
                break;
        }
        const Plugin& exec = settings_.plugins[rule.plugin];
        if (const Sequence* inner = sequence_of(exec)) {
            const End end = walk(*inner);
            const bool goes_on = end == End::ended || (end == End::answered && !always);
            return goes_on ? End::falls_through : end;
        }
        if (!always_has_end(exec)) return End::falls_through;
        if (always) return End::answered;
        if (rule.matches.size() != 1) return End::falls_through;
        const MatchUse& condition = rule.matches.front();
        if (asked_if_.contains({condition.plugin, !condition.negate})) return End::answered;
        asked_if_.emplace(condition.plugin, condition.negate);
        return End::falls_through;
    }

    // It always ends with a response or an error.
    bool always_has_end(const Plugin& exec) {
        if (std::holds_alternative<Forward>(exec.args) ||
            std::holds_alternative<BlackHole>(exec.args))
            return true;
        const auto* fallback = std::get_if<Fallback>(&exec.args);
        return fallback != nullptr &&
               (unit_has_end(fallback->primary) ||
                (fallback->on_no_response && unit_has_end(fallback->secondary)));
    }
    bool unit_has_end(PluginIndex unit) {
        const Plugin& exec = settings_.plugins[unit];
        const Sequence* sequence = sequence_of(exec);
        return sequence != nullptr ? walk(*sequence) == End::answered : always_has_end(exec);
    }

    const Settings& settings_;
    std::set<std::pair<PluginIndex, bool>> asked_if_;
    std::size_t steps_ = 0;
};

void advise_answer(Reading& in, const Plugin& entry) {
    const Settings& settings = in.settings();
    const Sequence* sequence = sequence_of(entry);
    if (sequence == nullptr || AnswerWalk(settings).walk(*sequence) == AnswerWalk::End::answered)
        return;
    in.report().warn(entry.line, "a query can reach the end of '" + entry.tag +
                                     "' without an answer and then gets NOERROR without records: "
                                     "add a forward or reject that always runs");
}

}  // namespace

void advise_sequence(Reading& in, const Plugin& plugin) {
    const Sequence* const sequence = sequence_of(plugin);
    if (sequence == nullptr) return;
    advise_prefer_dns64(in, plugin, *sequence);
    advise_nested(in, plugin, *sequence);
}

void advise_entry(Reading& in, const Plugin& entry) {
    advise_early(in, entry);
    advise_answer(in, entry);
}

}  // namespace steer::config
