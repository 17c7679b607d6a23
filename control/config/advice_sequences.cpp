#include "control/config/advice_sequences.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "control/config/graph.h"
#include "control/config/plugins/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxSteps =
    65535;  // a program has no more; sequences used in place may multiply

const Sequence* sequence_of(const Plugin& plugin) {
    return std::get_if<Sequence>(&plugin.args);
}

bool asks_for_response(const Settings& settings, const MatchUse& match, bool negated) {
    return match.negate == negated &&
           std::holds_alternative<HasResp>(settings.plugins[match.plugin].args);
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

// A rule that ends the sequence if there is a response.
bool stops_hits(const Settings& settings, const ExecRule& rule) {
    const bool ends = rule.kind == ExecRule::Kind::accept || rule.kind == ExecRule::Kind::return_ ||
                      rule.kind == ExecRule::Kind::reject || rule.kind == ExecRule::Kind::drop;
    return ends && std::all_of(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& m) {
               return asks_for_response(settings, m, false);
           });
}

bool asks_upstream(const Plugin& plugin) {
    return std::holds_alternative<Forward>(plugin.args) ||
           std::holds_alternative<Fallback>(plugin.args);
}

// A `cache`, then a `forward`, with no rule between them that stops cache hits.
void advise_cache(Reading& in, const Plugin& plugin, const Sequence& sequence) {
    const Settings& settings = in.settings();
    const Plugin* cache = nullptr;
    for (const ExecRule& rule : sequence.rules) {
        if (stops_hits(settings, rule)) cache = nullptr;
        if (rule.kind != ExecRule::Kind::plugin) continue;
        const Plugin& exec = settings.plugins[rule.plugin];
        if (const auto* args = std::get_if<Cache>(&exec.args)) {
            if (!args->short_circuit) cache = &exec;
        } else if (asks_upstream(exec) && cache != nullptr) {
            const bool only_without = std::any_of(
                rule.matches.begin(), rule.matches.end(),
                [&](const MatchUse& m) { return asks_for_response(settings, m, true); });
            if (only_without) continue;
            in.report().warn(
                rule.line, "'" + plugin.tag + "' queries upstreams even if " + owner_of(*cache) +
                               " has the answer: add 'short_circuit: true' to the cache, or a rule "
                               "'matches: has_resp' with 'exec: accept' after it");
            cache = nullptr;
        }
    }
}

// ---- a black_hole whose answer a forward replaces

// Whether both test the same thing with the same providers. Each inline matcher is a plugin.
bool asks_the_same(const Settings& settings, const MatchUse& a, const MatchUse& b) {
    if (a.plugin == b.plugin) return true;
    const Plugin &one = settings.plugins[a.plugin], &other = settings.plugins[b.plugin];
    if (one.type != other.type) return false;
    const auto refs = references_of(one), others = references_of(other);
    return !refs.empty() && std::ranges::equal(refs, others, {}, &Reference::to, &Reference::to);
}

// A rule's answer that the rest of a sequence may replace.
struct OpenAnswer {
    const Plugin* black_hole = nullptr;
    int line = 0;
    std::vector<MatchUse> matches;  // of the rule
};

// Whether this rule applies to every query with the answer, or only to queries without one.
bool covers(const Settings& settings, const ExecRule& rule, const OpenAnswer& answer) {
    return std::all_of(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& m) {
        if (asks_for_response(settings, m, false)) return true;
        return std::any_of(answer.matches.begin(), answer.matches.end(), [&](const MatchUse& of) {
            return of.negate == m.negate && asks_the_same(settings, of, m);
        });
    });
}
bool excludes(const Settings& settings, const ExecRule& rule, const OpenAnswer& answer) {
    return std::any_of(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& m) {
        if (asks_for_response(settings, m, true)) return true;
        // A rule with matchers may apply to none of these queries.
        if (!m.negate) return true;
        return std::any_of(answer.matches.begin(), answer.matches.end(), [&](const MatchUse& of) {
            return !of.negate && asks_the_same(settings, of, m);
        });
    });
}

// The last answer of a black_hole after which the sequence does not end the query.
OpenAnswer open_answer(const Settings& settings, const Sequence& sequence, std::size_t& steps,
                       const std::function<void(const OpenAnswer&)>& replaced) {
    OpenAnswer open;
    for (const ExecRule& rule : sequence.rules) {
        if (++steps > kMaxSteps) return {};
        const bool ends = rule.kind == ExecRule::Kind::accept ||
                          rule.kind == ExecRule::Kind::return_ ||
                          rule.kind == ExecRule::Kind::drop ||
                          rule.kind == ExecRule::Kind::reject || rule.kind == ExecRule::Kind::goto_;
        if (ends && open.black_hole != nullptr && covers(settings, rule, open)) open = {};
        if (rule.kind != ExecRule::Kind::plugin && rule.kind != ExecRule::Kind::jump) continue;
        const Plugin& exec = settings.plugins[rule.plugin];
        if (asks_upstream(exec) && open.black_hole != nullptr && !excludes(settings, rule, open)) {
            replaced(open);
            open = {};
        }
        const auto* const hole = std::get_if<BlackHole>(&exec.args);
        if (hole != nullptr && !hole->short_circuit) open = {&exec, rule.line, rule.matches};
        const Sequence* const inner = sequence_of(exec);
        if (inner == nullptr) continue;
        // The check of that sequence reports replacements inside it.
        OpenAnswer of_inner = open_answer(settings, *inner, steps, [](const OpenAnswer&) {});
        if (of_inner.black_hole == nullptr) continue;
        of_inner.matches.insert(of_inner.matches.end(), rule.matches.begin(), rule.matches.end());
        open = std::move(of_inner);
    }
    return open;
}

void advise_black_hole(Reading& in, const Plugin& plugin, const Sequence& sequence) {
    std::size_t steps = 0;
    open_answer(in.settings(), sequence, steps, [&](const OpenAnswer& open) {
        in.report().warn(open.line, "a forward in '" + plugin.tag + "' replaces the answer of " +
                                        owner_of(*open.black_hole) +
                                        ": add 'short_circuit: true' to the black_hole, or a rule "
                                        "'matches: has_resp' with 'exec: accept' after it");
    });
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

// ---- lists that depend on who asks, behind a cache

// The result does not depend on question and answer alone, and those are the key of a cached answer.
bool depends_on_client(const Plugin& plugin) {
    const auto* ip = std::get_if<IpMatch>(&plugin.args);
    const auto* text = std::get_if<TextMatch>(&plugin.args);
    return (ip != nullptr && ip->of == AddressOf::client) ||
           (text != nullptr && text->of == TextOf::client) ||
           (text != nullptr && (text->of == TextOf::server_name || text->of == TextOf::url_path)) ||
           std::holds_alternative<DeviceMatch>(plugin.args) ||
           std::holds_alternative<RandomMatch>(plugin.args) ||
           std::holds_alternative<RateMatch>(plugin.args);
}

// A cache hit evaluates its lists again (dataplane/policy/guard.h). It no longer knows which branch of a fallback answered.
void advise_lists_by_client(Reading& in, const Plugin& plugin, const Sequence& sequence) {
    const Settings& settings = in.settings();
    for (std::size_t r = 0; r < sequence.rules.size(); ++r) {
        const ExecRule& rule = sequence.rules[r];
        if (rule.kind != ExecRule::Kind::plugin) continue;
        const Plugin& cache = settings.plugins[rule.plugin];
        if (!std::holds_alternative<Cache>(cache.args)) continue;
        const Plugin *test = nullptr, *list = nullptr;
        const Plugin* const fallback =
            Reachable(settings, sequence, r + 1).find([&](const Plugin& p) {
                if (!std::holds_alternative<Fallback>(p.args)) return false;
                const auto index = static_cast<PluginIndex>(&p - settings.plugins.data());
                const Reachable units(settings, index);
                test = units.find(depends_on_client);
                list = units.find([](const Plugin& other) {
                    return std::holds_alternative<RouterRows>(other.args) ||
                           std::holds_alternative<KernelSets>(other.args) ||
                           std::holds_alternative<OpnsenseAlias>(other.args);
                });
                return test != nullptr && list != nullptr;
            });
        if (fallback == nullptr) continue;
        in.report().warn(
            rule.line,
            owner_of(*fallback) + " behind " + owner_of(cache) + " of '" + plugin.tag + "' tests " +
                std::string(test->type) + ": a cached answer is written to " + owner_of(*list) +
                " by the result for the first client; move the rule out of the fallback");
        return;
    }
}

// An outer cache stores the answers of dns64 for all clients; its key only has whether the client uses IPv6.
void advise_dns64_by_client(Reading& in, const Plugin& plugin, const Sequence& sequence) {
    const Settings& settings = in.settings();
    const Plugin* cache = nullptr;
    for (const ExecRule& rule : sequence.rules) {
        if (rule.kind != ExecRule::Kind::plugin) continue;
        const Plugin& exec = settings.plugins[rule.plugin];
        if (std::holds_alternative<Cache>(exec.args)) cache = &exec;
        const auto asks = std::find_if(
            rule.matches.begin(), rule.matches.end(),
            [&](const MatchUse& m) { return depends_on_client(settings.plugins[m.plugin]); });
        if (cache == nullptr || asks == rule.matches.end() ||
            !std::holds_alternative<Dns64>(exec.args))
            continue;
        in.report().warn(rule.line, owner_of(exec) + " behind " + owner_of(*cache) + " of '" +
                                        plugin.tag + "' applies to some clients only, by " +
                                        std::string(settings.plugins[asks->plugin].type) +
                                        ": all clients get the answer of the first one; use a "
                                        "sequence with a cache of its own for these clients");
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
               (unit_has_end(fallback->primary) || unit_has_end(fallback->secondary));
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
    advise_cache(in, plugin, *sequence);
    advise_black_hole(in, plugin, *sequence);
    advise_prefer_dns64(in, plugin, *sequence);
    advise_nested(in, plugin, *sequence);
    advise_lists_by_client(in, plugin, *sequence);
    advise_dns64_by_client(in, plugin, *sequence);
}

void advise_entry(Reading& in, const Plugin& entry) {
    advise_early(in, entry);
    advise_answer(in, entry);
}

}  // namespace steer::config
