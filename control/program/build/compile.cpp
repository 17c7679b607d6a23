#include "control/program/build/compile.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "control/config/plugin_type.h"
#include "control/config/text/time_periods.h"
#include "control/program/build/address_sets.h"
#include "control/program/build/build_steps.h"
#include "control/program/build/durations.h"
#include "dataplane/policy/parked.h"

namespace steer::build {
namespace {

// Estimated bytes of an entry in a cache with a byte budget: header, name, a few records.
constexpr std::uint64_t kEntryBytes = 512;

std::uint32_t entries_of(const config::Cache& cache) {
    const std::uint64_t entries = cache.size_in_bytes ? cache.size / kEntryBytes : cache.size;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(entries, 1, std::numeric_limits<std::uint32_t>::max()));
}

StaleTerms stale_of(const config::Cache& cache) {
    StaleTerms stale;
    if (cache.lazy_cache_ttl.count() > 0) {
        constexpr std::uint32_t kLazyTtl = 5;
        stale.most_s = seconds(cache.lazy_cache_ttl);
        stale.ttl_s = kLazyTtl;
        stale.recheck_s = seconds(cache.lazy_refresh_failure_cooldown);
        stale.wait_ms = 0;
        stale.positive_only = true;
    } else {
        stale.most_s = seconds(cache.serve_stale);
        stale.ttl_s = seconds(cache.stale_answer_ttl);
        stale.recheck_s = seconds(cache.stale_recheck);
        stale.wait_ms = milliseconds(cache.stale_client_timeout);
    }
    return stale;
}

// The option of a reply: code, length, text (RFC 5001 2.3); empty: off.
std::vector<std::uint8_t> nsid_option(const config::Policy& policy, const std::string& host_name) {
    std::string text = policy.nsid.value_or(std::string());
    if (text == config::Policy::kHostName) text = host_name;
    if (text.empty()) return {};
    text.resize(std::min(text.size(), kMaxNsid));
    std::vector<std::uint8_t> option(4);
    dns::store_be16(option.data(), dns::kOptionNsid);
    dns::store_be16(&option[2], static_cast<std::uint16_t>(text.size()));
    option.insert(option.end(), text.begin(), text.end());
    return option;
}

// An upstream as workers see it.
Upstream upstream_of(const config::UpstreamSettings& u, std::uint16_t id) {
    Upstream out{.id = id,
                 .address = u.address.value_or(IpAddress{}),
                 .port = u.port,
                 .timeout_ms = milliseconds(u.timeout),
                 .name = u.tag.empty() ? u.addr : u.tag,
                 .trust_ad = u.trust_ad,
                 .cookies = u.cookies,
                 .random_case = u.random_case,
                 .is_engine = u.is_engine};
    if (u.reach.socks5) out.address = IpAddress{};  // the proxy resolves it
    if (u.is_plain()) return out;
    out.channel = facts_of(u.scheme).has_connections ? Channel::stream : Channel::datagrams;
    return out;
}

}  // namespace

Compiler::Compiler(const config::Settings& settings, Registry& registry, TagMasks& masks,
                   const std::map<config::PluginIndex, std::uint32_t>& list_places,
                   Snapshot& snapshot, std::vector<Error>& errors)
    : settings_(settings),
      registry_(registry),
      masks_(masks),
      list_places_(list_places),
      snapshot_(snapshot),
      errors_(errors),
      known_(snapshot.known) {}

void Compiler::run(const std::vector<config::KnownRecord>& designated,
                   const std::string& host_name) {
    snapshot_.source.sequences.emplace_back();  // what no sequence says
    special_names();
    rare_queries();
    private_answers();
    snapshot_.nsid = nsid_option(settings_.policy, host_name);
    std::vector<Known> known;
    if (settings_.policy.canaries == config::Canaries::nxdomain)
        known.push_back(refused_canaries());
    if (!designated.empty()) known.push_back(designation(designated));
    if (const auto own = identity(host_name)) known.push_back(*own);
    static_assert(config::kMaxEntries == kMaxEntries);
    reserve_recorded_marks();
    const bool has_rules = !settings_.control.rules_file().empty();
    if (has_rules) name_rules();
    snapshot_.entries.clear();
    for (const config::PluginIndex plugin : settings_.entries)
        entry_of(plugin, known);
    units();
    for (const auto& [mark, bit] : mark_bits_)
        snapshot_.marks.push_back({mark, static_cast<std::uint8_t>(bit)});
    if (too_long_) return;
    check_nesting();
    check_rewrites();
    mark_private_forwards();
    for (const std::uint16_t entry : snapshot_.entries) {
        mark_family_keys(entry, {});
        most_claims(entry);
    }
    snapshot_.reads_texts = std::ranges::any_of(snapshot_.text_matches, [](const TextMatch& m) {
        return m.of == TextMatch::Of::server_name || m.of == TextMatch::Of::url_path;
    });
}

void Compiler::entry_of(config::PluginIndex plugin, const std::vector<Known>& known) {
    snapshot_.entries.push_back(next_pc());
    if (snapshot_.rules != nullptr) emit(Op::rules, 0, 0);
    for (const Known& names : known)
        answer_known(names);
    program_of(plugin, settings_.plugin(plugin).line);
}

// A blocked name is answered as an adlist's.
void Compiler::name_rules() {
    snapshot_.rules = registry_.name_rules();
    snapshot_.rules_black_hole = static_cast<std::uint32_t>(snapshot_.black_holes.size());
    snapshot_.black_holes.push_back(known_.black_hole({.mode = config::BlackHoleMode::null}));
    snapshot_.black_holes.back().blocks = true;
    // A rule may be for the device with a MAC address.
    for (const config::Plugin& plugin : settings_.plugins) {
        if (!std::holds_alternative<config::DhcpLeases>(plugin.args)) continue;
        const auto table = registry_.live_answers(plugin.tag);
        if (std::ranges::find(snapshot_.lease_tables, table) == snapshot_.lease_tables.end())
            snapshot_.lease_tables.push_back(table);
    }
}

// Whether its tests say that the name is one of a list, and it answers such names itself.
bool Compiler::blocks_names(const config::ExecRule& rule) const {
    using Kind = config::ExecRule::Kind;
    const bool answers = rule.kind == Kind::reject || rule.kind == Kind::drop ||
                         (rule.kind == Kind::plugin && std::holds_alternative<config::BlackHole>(
                                                           settings_.plugin(rule.plugin).args));
    const auto is_of_names = [this](const config::MatchUse& match, const auto& again) -> bool {
        const auto& args = settings_.plugin(match.plugin).args;
        if (const auto* const any = std::get_if<config::AnyMatch>(&args))
            return std::ranges::any_of(any->matches,
                                       [&](const auto& one) { return again(one, again); });
        return !match.negate && (std::holds_alternative<config::Qname>(args) ||
                                 std::holds_alternative<config::Question>(args));
    };
    return answers && std::ranges::any_of(rule.matches, [&](const auto& match) {
               return is_of_names(match, is_of_names);
           });
}

void Compiler::program_of(config::PluginIndex plugin, int line) {
    if (const auto* main = std::get_if<config::Sequence>(&settings_.plugin(plugin).args)) {
        sequence(*main, 0);
    } else {
        config::ExecRule only;
        only.plugin = plugin;
        only.line = line;
        sequence({{only}}, 0);
    }
    emit(Op::end, 0, 0);
}

// A sequence of no plugin, as a server's executor, keeps the one around it.
class Compiler::InSequence {
  public:
    InSequence(Compiler& compiler, const config::Sequence& sequence)
        : compiler_(compiler), before_(compiler.sequence_) {
        const auto& plugins = compiler.settings_.plugins;
        for (std::size_t i = 0; i < plugins.size(); ++i) {
            if (std::get_if<config::Sequence>(&plugins[i].args) != &sequence) continue;
            auto& tags = compiler.snapshot_.source.sequences;
            const auto [at, fresh] = compiler.sequence_numbers_.emplace(
                static_cast<config::PluginIndex>(i), static_cast<std::uint16_t>(tags.size()));
            if (fresh) tags.push_back(plugins[i].tag);
            compiler.sequence_ = at->second;
            break;
        }
    }
    ~InSequence() { compiler_.sequence_ = before_; }
    InSequence(const InSequence&) = delete;
    InSequence& operator=(const InSequence&) = delete;

  private:
    Compiler& compiler_;
    std::uint16_t before_;
};

// Instructions belong to this plugin until it is destroyed.
class Compiler::MadeBy {
  public:
    MadeBy(Compiler& compiler, config::PluginIndex plugin)
        : compiler_(compiler), before_(std::exchange(compiler.maker_, plugin)) {}
    ~MadeBy() { compiler_.maker_ = before_; }
    MadeBy(const MadeBy&) = delete;
    MadeBy& operator=(const MadeBy&) = delete;

  private:
    Compiler& compiler_;
    config::PluginIndex before_;
};

std::uint16_t Compiler::sequence(const config::Sequence& sequence, unsigned depth) {
    if (too_long_) return 0;
    const InSequence in(*this, sequence);
    const MadeBy made(*this, kNoMaker);
    const auto instance = static_cast<std::uint16_t>(instances_++);  // fewer than instructions
    const std::uint16_t first = next_pc();
    std::vector<std::uint16_t> ends;
    auto* const outer = std::exchange(ends_, &ends);
    for (const config::ExecRule& r : sequence.rules)
        rule(r, instance, depth);
    ends_ = outer;
    const std::uint16_t last = emit(Op::sequence_end, instance, 0);
    if (too_long_) return last;
    for (const std::uint16_t pc : ends)
        snapshot_.program[pc].target = last;
    for (std::uint16_t pc = first; pc < last; ++pc) {
        Instruction& i = snapshot_.program[pc];
        if ((i.op == Op::enter_cache || i.op == Op::answer_pointer) && i.instance == instance)
            i.target = last;
    }
    return last;
}

void Compiler::jump(const config::ExecRule& rule, unsigned depth) {
    std::vector<std::uint16_t> returns;
    auto* const outer = std::exchange(returns_, &returns);
    const auto& target = std::get<config::Sequence>(settings_.plugin(rule.plugin).args);
    const std::uint16_t end = sequence(target, depth);
    returns_ = outer;
    if (too_long_) return;
    for (const std::uint16_t pc : returns)
        snapshot_.program[pc].target = end;
}

// The other sequence replaces the rest of this one. Its end is the end of this one, and its return returns from this
// one.
void Compiler::go_to(const config::ExecRule& rule, std::uint16_t instance, unsigned depth) {
    sequence(std::get<config::Sequence>(settings_.plugin(rule.plugin).args), depth);
    ends_->push_back(emit(Op::go_to, instance, rule.line));
}

void Compiler::rule(const config::ExecRule& rule, std::uint16_t instance, unsigned& depth) {
    using Kind = config::ExecRule::Kind;
    std::vector<std::uint16_t> fails;
    for (const config::MatchUse& match : rule.matches)
        test(match, instance, fails);
    if (snapshot_.rules != nullptr && blocks_names(rule))
        fails.push_back(emit(Op::pass_allowed, instance, rule.line));
    const bool around = std::exchange(in_special_rule_, in_special_rule_ || names_special(rule));
    switch (rule.kind) {
        case Kind::return_:
            if (returns_ != nullptr) {
                returns_->push_back(emit(Op::go_to, instance, rule.line));
                break;
            }
            [[fallthrough]];
        case Kind::accept:
            emit(Op::stop, instance, rule.line);
            break;
        case Kind::reject:
            emit(Op::reject, instance, rule.line, rule.rcode);
            break;
        case Kind::drop:
            emit(Op::drop, instance, rule.line);
            break;
        case Kind::mark:
            emit(Op::mark, instance, rule.line, marks_of(rule.marks, rule.line));
            break;
        case Kind::jump:
            jump(rule, depth);
            break;
        case Kind::goto_:
            go_to(rule, instance, depth);
            break;
        case Kind::plugin:
            executor(rule.plugin, rule.line, instance, depth);
            break;
    }
    in_special_rule_ = around;
    land(fails);
}

void Compiler::test(const config::MatchUse& match, std::uint16_t instance,
                    std::vector<std::uint16_t>& fails) {
    if (const auto* any = std::get_if<config::AnyMatch>(&settings_.plugin(match.plugin).args))
        return test_any(*any, match.negate, instance, fails);
    if (std::holds_alternative<config::Question>(settings_.plugin(match.plugin).args))
        return test_question(match, instance, fails);
    bool negate = match.negate;
    const std::uint16_t pc = simple_test(match.plugin, negate, instance, match.line);
    if (too_long_) return;
    snapshot_.program[pc].negate = negate;
    fails.push_back(pc);
}

// Negated: every matcher must fail. Otherwise: the first matcher that holds jumps past the others.
void Compiler::test_any(const config::AnyMatch& any, bool negate, std::uint16_t instance,
                        std::vector<std::uint16_t>& fails) {
    std::vector<std::uint16_t> holds;
    for (std::size_t i = 0; i < any.matches.size(); ++i) {
        config::MatchUse match = any.matches[i];
        const bool is_last = i + 1 == any.matches.size();
        if (negate || !is_last) match.negate = !match.negate;
        test(match, instance, negate || is_last ? fails : holds);
    }
    land(holds);
}

// One mask for each type in the rules; the last one is for all other types.
void Compiler::test_question(const config::MatchUse& match, std::uint16_t instance,
                             std::vector<std::uint16_t>& fails) {
    const auto& names = std::get<config::Question>(settings_.plugin(match.plugin).args);
    const MadeBy made(*this, match.plugin);
    test_names(masks_.masks_of(names), match.negate, instance, match.line, fails);
}

void Compiler::test_names(const TagMasks::ByType& masks, bool negate, std::uint16_t instance,
                          int line, std::vector<std::uint16_t>& fails) {
    const auto test_mask = [&](std::uint32_t mask) {
        const std::uint16_t pc = emit(Op::if_tags, instance, line, mask);
        if (too_long_) return;
        snapshot_.program[pc].negate = negate;
        fails.push_back(pc);
    };
    std::vector<std::uint16_t> done;
    for (const auto& [type, mask] : masks.by_type) {
        const std::uint16_t pc = emit(Op::if_type, instance, line, numbers_of({type}));
        test_mask(mask);
        done.push_back(emit(Op::go_to, instance, line));
        if (too_long_) return;
        land({pc});
    }
    test_mask(masks.mask);
    if (!too_long_) land(done);
}

void Compiler::land(const std::vector<std::uint16_t>& tests) {
    for (const std::uint16_t pc : tests)
        snapshot_.program[pc].target = next_pc();
}

std::uint16_t Compiler::simple_test(config::PluginIndex index, bool& negate, std::uint16_t instance,
                                    int line) {
    const MadeBy made(*this, index);
    const TestUse use{index, line, instance, negate};
    return std::visit([&](const auto& args) { return test_by(args, use); },
                      settings_.plugin(index).args);
}

void Compiler::executor(config::PluginIndex index, int line, std::uint16_t instance,
                        unsigned& depth) {
    const MadeBy made(*this, index);
    const Use use{index, line, instance, depth};
    std::visit([&](const auto& args) { execute(args, use); }, settings_.plugin(index).args);
}

std::uint16_t Compiler::emit(Op op, std::uint16_t instance, int line, std::uint32_t operand) {
    if (snapshot_.program.size() >= kMaxProgram) {
        if (!too_long_)
            error(line,
                  "the sequences make a program of more than 65535 instructions: use fewer '$TAG', "
                  "jumps and gotos of sequences");
        too_long_ = true;
        return 0;
    }
    constexpr int kMaxLine = std::numeric_limits<std::uint16_t>::max();
    snapshot_.program.push_back(
        {.op = op,
         .instance = instance,
         .line = static_cast<std::uint16_t>(std::min(config::line_in_source(line), kMaxLine)),
         .operand = operand});
    snapshot_.source.places.push_back(
        {.sequence = sequence_,
         .file = static_cast<std::uint16_t>(config::source_of(line)),
         .line = static_cast<std::uint32_t>(config::line_in_source(line))});
    makers_.push_back(maker_);
    return static_cast<std::uint16_t>(snapshot_.program.size() - 1);
}

void Compiler::enter(Op op, std::uint16_t instance, int line, std::uint32_t operand,
                     unsigned& depth) {
    if (++depth > kMaxWrappers) {
        error(line, "more than " + std::to_string(kMaxWrappers) +
                        " executors that wrap the rest of their sequence are active here (cache, " +
                        config::names_of(config::Sink::router) +
                        ", redirect, query_summary): use fewer, or move them with their forward "
                        "and 'accept' to separate sequences");
    }
    emit(op, instance, line, operand);
}

std::uint16_t Compiler::next_pc() const {
    return static_cast<std::uint16_t>(snapshot_.program.size());
}

void Compiler::error(int line, std::string text) {
    errors_.push_back(settings_.error(line, std::move(text)));
}

std::uint32_t Compiler::group_of(config::PluginIndex plugin, const config::Forward& forward) {
    const auto known = groups_.find(plugin);
    if (known != groups_.end()) return known->second;
    UpstreamGroup group;
    const config::Plugin& written = settings_.plugin(plugin);
    group.name = written.in_place ? "line " + std::to_string(config::line_in_source(written.line))
                                  : written.tag;
    group.total_timeout_ms = milliseconds(forward.total_timeout);
    group.concurrent = static_cast<std::uint8_t>(forward.concurrent);
    group.policy = static_cast<UpstreamPolicy>(forward.policy);
    group.selection = static_cast<ResponseSelection>(forward.response_selection);
    if (forward.max_concurrent_queries > 0)
        group.limit = std::make_shared<InFlightLimit>(forward.max_concurrent_queries);
    for (const config::UpstreamSettings& u : forward.upstreams) {
        const auto id = registry_.upstream(upstream_key(u));
        if (!id) {
            error(u.line, id.error().text);
            continue;
        }
        group.members.push_back(static_cast<std::uint16_t>(snapshot_.upstreams.size()));
        if (!u.is_plain()) channels_.push_back(target_of(u, *id));
        snapshot_.upstreams.push_back(upstream_of(u, *id));
    }
    const auto index = static_cast<std::uint32_t>(snapshot_.groups.size());
    snapshot_.groups.push_back(std::move(group));
    groups_.emplace(plugin, index);
    return index;
}

std::uint32_t Compiler::cache_of(config::PluginIndex plugin, const config::Cache& cache) {
    const auto known = caches_.find(plugin);
    if (known != caches_.end()) return known->second;
    const config::Plugin& named = settings_.plugin(plugin);
    CacheInstance instance;
    if (const auto id = registry_.cache(named.tag)) {
        instance.id = *id;
    } else {
        error(named.line, id.error().text);
    }
    instance.tag = named.tag;
    instance.size = entries_of(cache);
    instance.cache_negative = cache.cache_negative;
    instance.max_negative_ttl_s = seconds(std::min(cache.max_negative_ttl, cache.cache_max_ttl));
    instance.negative_ttl_without_soa_s = seconds(cache.negative_ttl_without_soa);
    instance.min_positive_ttl_s = seconds(cache.min_positive_ttl);
    instance.raised_to_s = seconds(std::min(cache.cache_min_ttl, cache.max_positive_ttl));
    instance.max_positive_ttl_s = seconds(std::min(cache.max_positive_ttl, cache.cache_max_ttl));
    instance.min_positive_ttl_s =
        std::min(instance.min_positive_ttl_s, instance.max_positive_ttl_s);
    instance.failure_ttl_s = seconds(std::min(cache.failure_ttl, cache.cache_max_ttl));
    instance.stale = stale_of(cache);
    instance.refreshes = registry_.refreshes(named.tag);
    if (cache.lazy_refresh_concurrency != 0)
        instance.most_refreshes = cache.lazy_refresh_concurrency;
    instance.prefetch_percent = static_cast<std::uint8_t>(cache.prefetch_percent);
    instance.prefetch_hits = static_cast<std::uint8_t>(cache.prefetch_hits);
    instance.ecs_in_key = cache.ecs_in_key;
    const auto index = static_cast<std::uint32_t>(snapshot_.caches.size());
    snapshot_.caches.push_back(std::move(instance));
    caches_.emplace(plugin, index);
    return index;
}

std::uint32_t Compiler::text_of(const std::string& text) {
    auto& texts = snapshot_.texts;
    const auto at = std::find(texts.begin(), texts.end(), text);
    const auto index = static_cast<std::uint32_t>(at - texts.begin());
    if (at == texts.end()) texts.push_back(text);
    return index;
}

// All uses of one plugin share one table of buckets.
static_assert(config::kLongestRefillS == RateLimiter::kLongestRefillS);

std::uint32_t Compiler::limiter_of(config::PluginIndex plugin, const config::RateMatch& rate) {
    const auto [at, fresh] =
        limiters_.emplace(plugin, static_cast<std::uint32_t>(snapshot_.rate_limiters.size()));
    if (fresh) {
        snapshot_.rate_limiters.emplace_back(RateLimit{rate.qps, rate.burst,
                                                       static_cast<std::uint8_t>(rate.mask4),
                                                       static_cast<std::uint8_t>(rate.mask6)});
    }
    return at->second;
}

// Matchers with the same periods share a window.
std::uint32_t Compiler::time_test_of(const config::TimeMatch& time) {
    auto& tests = snapshot_.time_tests;
    const std::string periods = config::text_of(time);
    const auto at = std::ranges::find(tests, periods, &TimeTest::periods);
    const auto index = static_cast<std::uint32_t>(at - tests.begin());
    if (at != tests.end()) return index;
    tests.push_back({periods, registry_.time_window(periods)});
    windows_.push_back({time, tests.back().window});
    return index;
}

std::uint32_t Compiler::text_match_of(const config::TextMatch& match, int line) {
    constexpr TextMatch::Of kOf[] = {TextMatch::Of::client, TextMatch::Of::response,
                                     TextMatch::Of::marks, TextMatch::Of::server_name,
                                     TextMatch::Of::url_path};
    auto& matches = snapshot_.text_matches;
    const auto of = kOf[static_cast<std::size_t>(match.of)];
    const auto at = std::find_if(matches.begin(), matches.end(), [&](const TextMatch& m) {
        return m.of == of && m.test.operation() == match.operation && m.test.words() == match.words;
    });
    const auto index = static_cast<std::uint32_t>(at - matches.begin());
    if (at != matches.end()) return index;
    auto test = matchers::TextTest::build(match.operation, match.words);
    if (test) {
        matches.push_back({of, std::move(*test)});
    } else {
        error(line, test.error().text);
    }
    return index;
}

std::uint32_t Compiler::numbers_of(const std::vector<std::uint16_t>& numbers) {
    auto& sets = snapshot_.number_sets;
    const auto at = std::find(sets.begin(), sets.end(), numbers);
    const auto index = static_cast<std::uint32_t>(at - sets.begin());
    if (at == sets.end()) sets.push_back(numbers);
    return index;
}

// A plugin that is exactly one set shares that set.
std::uint32_t Compiler::prefixes_of(config::PluginIndex plugin, const config::IpMatch& match) {
    const bool is_set = match.prefixes.empty() && match.sets.size() == 1;
    const config::PluginIndex key = is_set ? match.sets.front() : plugin;
    const auto known = prefix_sets_.find(key);
    if (known != prefix_sets_.end()) return known->second;
    const auto index = static_cast<std::uint32_t>(snapshot_.prefix_sets.size());
    snapshot_.prefix_sets.push_back(address_set(settings_, match.prefixes, match.sets, registry_));
    prefix_sets_.emplace(key, index);
    return index;
}

std::uint32_t Compiler::marks_of(const std::vector<std::uint32_t>& marks, int line) {
    std::uint64_t mask = 0;
    for (const std::uint32_t mark : marks) {
        auto at = mark_bits_.find(mark);
        if (at == mark_bits_.end()) {
            const auto bit = static_cast<unsigned>(std::countr_one(used_mark_bits_));
            if (!use_mark_bit(bit, line)) break;
            at = mark_bits_.emplace(mark, bit).first;
        }
        mask |= std::uint64_t{1} << at->second;
    }
    auto& masks = snapshot_.mark_masks;
    const auto at = std::find(masks.begin(), masks.end(), mask);
    const auto index = static_cast<std::uint32_t>(at - masks.begin());
    if (at == masks.end()) masks.push_back(mask);
    return index;
}

// False: there is no such bit any more.
bool Compiler::use_mark_bit(unsigned bit, int line) {
    if (bit < kMaxMarks) {
        used_mark_bits_ |= std::uint64_t{1} << bit;
        return true;
    }
    if (!std::exchange(has_too_many_marks_, true))
        error(line, !has_watches_
                        ? "more than 64 different marks: use fewer"
                        : "more than 64 different marks and ad lists together: use fewer, or write "
                          "'cname: false' for some ad lists");
    return false;
}

void Compiler::reserve_recorded_marks() {
    for (const config::Plugin& plugin : settings_.plugins) {
        const auto* const recorder = std::get_if<config::QueryRecorder>(&plugin.args);
        if (recorder == nullptr) continue;
        for (const auto* const marks : {&recorder->include_marks, &recorder->exclude_marks}) {
            for (const std::uint32_t mark : *marks) {
                if (mark_bits_.contains(mark)) continue;
                const auto bit = registry_.recorded_mark(mark);
                if (!bit) return error(plugin.line, bit.error().text);
                mark_bits_.emplace(mark, *bit);
                used_mark_bits_ |= std::uint64_t{1} << *bit;
            }
        }
    }
}

// Jumps only go forward, so one pass over a program is enough.
int Compiler::most_claims(std::uint16_t entry) {
    constexpr int kUnreached = -1;
    const auto known = claims_.find(entry);
    if (known != claims_.end()) return known->second;
    const Program& program = snapshot_.program;
    std::vector<int> most(program.size() + 1, kUnreached);
    most[entry] = 0;
    std::size_t pc = entry;
    int all = 0;
    for (; program[pc].op != Op::end; ++pc) {
        const Instruction& i = program[pc];
        if (most[pc] == kUnreached) continue;
        all = std::max(all, most[pc]);
        if (has_trait(i.op, op_traits::kStops)) continue;
        int more = has_trait(i.op, op_traits::kClaims) ? 1 : 0;
        if (i.op == Op::fallback) {
            const Fallback& f = snapshot_.fallbacks[i.operand];
            more = std::max(most_claims(f.primary), most_claims(f.secondary));
        }
        if (const std::uint16_t probe = probe_of(i)) most_claims(probe);  // of its own answer
        if (i.op == Op::go_to) {
            most[i.target] = std::max(most[i.target], most[pc]);
            continue;
        }
        most[pc + 1] = std::max(most[pc + 1], most[pc] + more);
        if (is_test(i.op) || has_trait(i.op, op_traits::kBranches))
            most[i.target] = std::max(most[i.target], most[pc]);
        if (most[pc] + more > static_cast<int>(kMaxClaims) && !too_many_claims_) {
            too_many_claims_ = true;
            error(i.line, "more than " + std::to_string(kMaxClaims) + " " +
                              config::names_of(config::Sink::router) +
                              ", opnsense_alias, ipset, nftset and bgp_route can act on one answer "
                              "here: use fewer, or end the way of each with 'accept'");
        }
    }
    return claims_[entry] = std::max(all, most[pc]);
}

}  // namespace steer::build
