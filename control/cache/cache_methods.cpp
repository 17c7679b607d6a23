#include "control/cache/cache_methods.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <variant>

#include "control/api/log/mnemonics.h"
#include "control/api/log/response_text.h"
#include "control/config/text/dns_names.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/quote.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using ops::bad_params;
using ops::RpcCode;
using ops::RpcError;

// Maximum addresses of a flush with rows; the reply reports that further ones keep their rows.
constexpr std::size_t kMaxForgotten = 10'000;
constexpr std::uint64_t kUsualPrint = 1'000, kMaxPrint = 1'000'000'000;
constexpr ops::Piece kAnswers = ops::Piece::pages(kUsualPrint);

// `text` is a domain name.
std::vector<std::uint8_t> wire_of(std::string_view text) {
    auto wire = *config::asked_name(text);
    dns::lower_case(wire.data(), wire.data(), wire.size());
    return wire;
}

// The name itself or one below it.
bool is_within(std::span<const std::uint8_t> name, std::span<const std::uint8_t> suffix) {
    while (name.size() > suffix.size() && !name.empty())
        name = name.subspan(std::size_t{1} + name.front());
    return std::equal(name.begin(), name.end(), suffix.begin(), suffix.end());
}

const CacheOf* cache_by_tag(const CacheService& service, const std::string& tag) {
    const auto& all = service.caches();
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const CacheOf& c) { return c.tag == tag; });
    return at == all.end() ? nullptr : &*at;
}

template <class All, class Name>
std::string names_of(const All& all, Name name) {
    std::string out;
    for (const auto& one : all)
        out += (out.empty() ? "" : ", ") + name(one);
    return out.empty() ? "none" : out;
}

RpcError no_cache(const CacheService& service, const std::string& tag) {
    return bad_params("there is no cache " + matchers::quoted(tag) + "; there are: " +
                      names_of(service.caches(), [](const CacheOf& c) { return c.tag; }));
}

// ---- flush

// A flush by tag matches names on the service's thread, which needs its own scratch.
boost::system::result<CacheService::Filter, RpcError> tag_filter(const CacheMethods& m,
                                                                 const std::string& tag) {
    const auto set = std::find_if(m.in_force.sets.begin(), m.in_force.sets.end(),
                                  [&](const build::NamedSet& s) { return s.tag == tag; });
    if (set == m.in_force.sets.end() || m.in_force.names == nullptr) {
        return bad_params(
            "the program asks about no domain set " + matchers::quoted(tag) + "; it asks about: " +
            names_of(m.in_force.sets, [](const build::NamedSet& s) { return s.tag; }));
    }
    auto scratch = std::make_shared<matchers::NameMatcher::Scratch>();
    if (auto ready = m.in_force.names->prepare(*scratch); !ready) {
        return RpcError{RpcCode::internal_error, ready.error().sentence()};
    }
    return [names = m.in_force.names, scratch, bits = set->bits](const cache::Entry& e) {
        return names->match(e.name(), *scratch).any_of(bits);
    };
}

boost::system::result<CacheService::Filter, RpcError> filter_of(const CacheMethods& m,
                                                                const ops::Arguments& asked) {
    const auto name = asked.find_text("name"), suffix = asked.find_text("suffix"),
               tag = asked.find_text("tag"), instance = asked.find_text("instance");
    const int given = (name ? 1 : 0) + (suffix ? 1 : 0) + (tag ? 1 : 0) + (instance ? 1 : 0);
    if (given > 1) return bad_params("one of name, suffix, tag and instance at a time");
    if (suffix) {
        return
            [wire = wire_of(*suffix)](const cache::Entry& e) { return is_within(e.name(), wire); };
    }
    if (name) {
        return [wire = wire_of(*name)](const cache::Entry& e) {
            const auto its = e.name();
            return std::equal(its.begin(), its.end(), wire.begin(), wire.end());
        };
    }
    if (tag) return tag_filter(m, *tag);
    if (instance) {
        const CacheOf* const one = cache_by_tag(m.service, *instance);
        if (one == nullptr) return no_cache(m.service, *instance);
        return [id = one->instance](const cache::Entry& e) { return e.instance == id; };
    }
    return [](const cache::Entry&) { return true; };
}

std::int64_t ms_since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun)
        .count();
}

// The answer {key: number, "took_ms": …} when the service is done.
CacheService::Counted answer_with(const char* key, const ops::RpcDone& done) {
    const auto begun = std::chrono::steady_clock::now();
    return [key, done, begun](const Result<std::uint64_t>& count) {
        if (!count) return done(RpcError{RpcCode::internal_error, count.error().sentence()});
        done(value(object{{key, *count}, {"took_ms", ms_since(begun)}}));
    };
}

// The addresses are read by the service's thread, and used when it is done.
void flush_with_rows(const CacheMethods& m, CacheService::Filter filter, const ops::RpcDone& done) {
    const auto addresses = std::make_shared<std::set<IpAddress>>();
    const auto more = std::make_shared<bool>(false);
    auto noting = [filter = std::move(filter), addresses, more](const cache::Entry& e) {
        if (!filter(e)) return false;
        dns::any_address(e.answer(), [&](const std::uint8_t* bytes, bool is_v6) {
            *more = addresses->size() >= kMaxForgotten;
            if (*more) return true;
            addresses->insert(is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes));
            return false;
        });
        return true;
    };
    const auto begun = std::chrono::steady_clock::now();
    m.service.flush(
        std::move(noting), [&m, addresses, more, done, begun](const Result<std::uint64_t>& count) {
            if (!count) return done(RpcError{RpcCode::internal_error, count.error().sentence()});
            m.forget_rows({addresses->begin(), addresses->end()},
                          [more, done, begun, flushed = *count](std::size_t rows) {
                              done(value(object{{"flushed", flushed},
                                                {"rows", rows},
                                                {"more", *more},
                                                {"took_ms", ms_since(begun)}}));
                          });
        });
}

// `all` must be explicit: a forgotten parameter must not empty every cache.
void flush(const CacheMethods& m, const ops::Arguments& asked, const ops::RpcDone& done) {
    const bool has_filter =
        asked.has("name") || asked.has("suffix") || asked.has("tag") || asked.has("instance");
    if (has_filter == asked.is_true("all")) {
        return done(
            bad_params("say which answers to drop: one of name, suffix, tag and instance, or "
                       "\"all\": true"));
    }
    auto filter = filter_of(m, asked);
    if (!filter) return done(filter.error());
    if (asked.is_true("with_rows") && m.forget_rows)
        return flush_with_rows(m, std::move(*filter), done);
    m.service.flush(std::move(*filter), answer_with("flushed", done));
}

// A file, and the cache whose dump it is.
struct DumpPlace {
    std::string file;
    std::uint16_t instance;
};
std::variant<DumpPlace, RpcError> dump_place(const CacheMethods& m, const ops::Arguments& asked) {
    const auto instance = asked.find_text("instance");
    const CacheOf* const one =
        instance ? cache_by_tag(m.service, *instance) : &m.service.caches().front();
    if (one == nullptr) return no_cache(m.service, *instance);
    if (!instance && m.service.caches().size() > 1) {
        return bad_params("a dump holds one cache: name it as instance, one of " +
                          names_of(m.service.caches(), [](const CacheOf& c) { return c.tag; }));
    }
    return DumpPlace{asked.text("file"), one->instance};
}

void dump(const CacheMethods& m, const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto place = dump_place(m, asked);
    if (const auto* const error = std::get_if<RpcError>(&place)) return done(*error);
    const auto& [file, instance] = std::get<DumpPlace>(place);
    m.service.dump(instance, file, answer_with("answers", done));
}

void restore(const CacheMethods& m, const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto place = dump_place(m, asked);
    if (const auto* const error = std::get_if<RpcError>(&place)) return done(*error);
    const auto& [file, instance] = std::get<DumpPlace>(place);
    const auto begun = std::chrono::steady_clock::now();
    m.service.restore_from(instance, file, [done, begun](const Result<Restored>& restored) {
        if (!restored) return done(RpcError{RpcCode::internal_error, restored.error().sentence()});
        done(value(object{{"restored", restored->answers},
                          {"expired", restored->expired},
                          {"known", restored->known},
                          {"took_ms", ms_since(begun)}}));
    });
}

// ---- reading

// The records as they would leave now, one a line.
array records_of(const HeldAnswer& held) {
    std::array<std::uint8_t, 1024> question{};
    std::vector<std::uint8_t> message(65535);
    const std::size_t length = dns::write_query(question, 0, held.name, held.qtype, held.qclass,
                                                true, false, false, false);
    dns::Query query;
    array lines;
    if (dns::parse_query(std::span(question).first(length), query) != dns::QueryError::none)
        return lines;
    std::copy_n(question.begin(), length, message.begin());
    const auto& answer = *reinterpret_cast<const dns::Answer*>(held.answer.data());
    bool truncated = false;
    const std::size_t written = dns::write_reply(
        message, query, answer, {.age_s = held.age_s, .max_size = 65535}, truncated);
    const auto text = ops::response_lines(std::span(message).first(written));
    for (std::size_t i = 1; i < text.size(); ++i)
        lines.emplace_back(text[i]);
    return lines;
}

object shown(const CacheMethods& m, const HeldAnswer& held) {
    const auto& caches = m.service.caches();
    const auto at = std::find_if(caches.begin(), caches.end(),
                                 [&](const CacheOf& c) { return c.instance == held.instance; });
    array lists;
    for (const ListId list : held.lists) {
        const auto& [tag, router] = m.service.lists()[list];
        std::string text = tag;
        text.append(" on ").append(router);
        lists.emplace_back(text);
    }
    const auto& answer = *reinterpret_cast<const dns::Answer*>(held.answer.data());
    object out{{"name", dns::name_to_text(held.name)},
               {"type", ops::type_name(held.qtype)},
               {"class", ops::class_name(held.qclass)},
               {"cache", at == caches.end() ? std::string("-") : at->tag},
               {"do", (held.flags & cache::kKeyDo) != 0},
               {"cd", (held.flags & cache::kKeyCd) != 0},
               {"over_v4", (held.flags & cache::kKeyV4) != 0},
               {"rcode", ops::rcode_name(answer.rcode)},
               {"left_s", held.left_s},
               {"usable_s", held.usable_s},
               {"age_s", held.age_s},
               {"asked_for", held.visited},
               {"bytes", held.bytes},
               {"lists", std::move(lists)}};
    if (!held.subnet.empty()) out["subnet"] = ops::hex(held.subnet);
    out["records"] = records_of(held);
    return out;
}

// Where a listing goes on, and how many answers it may still have.
struct Listing {
    cache::WalkPlace from;
    std::uint64_t left = 0;
};

ops::Cursor cursor_of(const Listing& listing) {
    return {std::to_string(listing.from.shard), std::to_string(listing.from.slot),
            std::to_string(listing.left)};
}

// No value: not a cursor of a listing.
std::optional<Listing> listing_from(std::string_view text) {
    const auto cursor = ops::Cursor::from(text, 3);
    if (!cursor) return std::nullopt;
    const auto shard = cursor->number(0), slot = cursor->number(1), left = cursor->number(2);
    if (!shard || !slot || !left || *shard > kMaxWorkers || *slot > UINT32_MAX || *left == 0)
        return std::nullopt;
    return Listing{{static_cast<unsigned>(*shard), static_cast<cache::SlotId>(*slot)}, *left};
}

// `most`: of all pages.
void show_page(const CacheMethods& m, const ops::Arguments& asked, CacheService::Filter filter,
               std::uint64_t most, const ops::RpcDone& done) {
    const auto cursor = asked.find_text(ops::kCursor);
    const auto listing = cursor ? listing_from(*cursor) : Listing{{}, most};
    if (!listing) return done(ops::bad_cursor());
    const auto room = std::min<std::uint64_t>(listing->left, kAnswers.most_rows());
    m.service.show(
        std::move(filter), listing->from, room,
        [m, done, left = listing->left](Result<HeldAnswers> page) {
            if (!page) return done(RpcError{RpcCode::internal_error, page.error().sentence()});
            array answers;
            for (const HeldAnswer& held : page->answers)
                answers.push_back(shown(m, held));
            const std::uint64_t still = left - answers.size();
            object out{{"answers", std::move(answers)}, {"more", page->next.has_value()}};
            if (page->next && still != 0) ops::end_page(out, cursor_of({*page->next, still}));
            done(value(std::move(out)));
        });
}

void show(const CacheMethods& m, const ops::Arguments& asked, const ops::RpcDone& done) {
    auto filter = filter_of(m, asked);
    if (!filter) return done(filter.error());
    show_page(m, asked, std::move(*filter), UINT64_MAX, done);
}

bool is_of_addresses(const cache::Entry& e) {
    return e.qtype == dns::kA || e.qtype == dns::kAaaa || e.qtype == dns::kCname;
}

// Like RouterOS's /ip/dns/cache print; `all` is like /ip/dns/cache/all print: all types.
void print(const CacheMethods& m, const ops::Arguments& asked, const ops::RpcDone& done) {
    auto filter = filter_of(m, asked);
    if (!filter) return done(filter.error());
    const std::uint64_t most = asked.number("most", kUsualPrint);
    show_page(
        m, asked,
        [filter = std::move(*filter), all_types = asked.is_true("all")](const cache::Entry& e) {
            return (all_types || is_of_addresses(e)) && filter(e);
        },
        most, done);
}

// ---- numbers

object stats_of(const CacheMethods& m, std::size_t i) {
    const CacheOf& one = m.service.caches()[i];
    const cache::InstanceStats s = m.cache.instance_stats(one.instance);
    const auto& dump = m.service.dump_state(i);
    const CacheLookupSums lookups = m.lookups(one.instance);
    object out{{"name", one.tag},        {"limit", s.limit},     {"entries", s.entries},
               {"bytes", s.bytes},       {"hits", lookups.hits}, {"misses", lookups.misses},
               {"stale", lookups.stale}, {"inserts", s.inserts}, {"evictions", s.evictions},
               {"flushed", s.flushed}};
    if (one.dump_file.empty()) return out;
    out["dump_file"] = one.dump_file;
    out["restored"] = dump.restored;
    out["dumped"] = dump.dumped;
    if (dump.at_ms != 0) out["dumped_ago_s"] = (m.clock.now().ms - dump.at_ms) / 1000;
    out["dumps_failed"] = dump.failed;
    return out;
}

void stats(const CacheMethods& m, const ops::Arguments&, const ops::RpcDone& done) {
    array caches;
    for (std::size_t i = 0; i < m.service.caches().size(); ++i)
        caches.push_back(stats_of(m, i));
    done(value(object{{"caches", std::move(caches)},
                      {"entries", m.cache.entries()},
                      {"bytes", m.cache.bytes_used()}}));
}

// ---- declarations

using ops::Changes;
using ops::ParamType;

constexpr ops::Parameter kInstance{"instance", ParamType::text, "the tag of a cache"};
constexpr ops::Parameter kOneInstance{"instance", ParamType::text,
                                      "the tag of the cache; needed if there are several"};
constexpr ops::Parameter kName{"name", ParamType::domain_name, "answers of this name"};
constexpr ops::Parameter kSuffix{"suffix", ParamType::domain_name,
                                 "answers of this name and of all names below it"};
constexpr ops::Parameter kTag{"tag", ParamType::text,
                              "answers of names in the domain set with this tag"};

using Run = void (*)(const CacheMethods&, const ops::Arguments&, const ops::RpcDone&);
struct Declared {
    ops::Method method;
    Run run;
};

std::array<Declared, 6> declared() {
    return {{{{.name = "cache.stats",
               .help = "Shows the size, the counts and the dump of each cache.",
               .changes = Changes::nothing(),
               .piece = ops::Piece::report(),
               .members = "caches entries bytes",
               .result = "each cache with its size, its counts and its dump"},
              stats},
             {{.name = "cache.show",
               .help = "Shows the answers that the caches hold for a name.",
               .changes = Changes::nothing(),
               .piece = kAnswers,
               .parameters = {{"name", ParamType::domain_name, "the name to look up", true}},
               .members = "answers more cursor?",
               .result = "each answer with its type, records, TTL and age"},
              show},
             {{.name = "cache.print",
               .help = "Lists the answers of the caches: types A, AAAA and CNAME, or all types.",
               .changes = Changes::nothing(),
               .piece = kAnswers,
               .parameters = {{"all", ParamType::flag, "true: answers of all types"},
                              {"most", ParamType::number,
                               "maximum number of answers, of all pages (default: 1000)", false, 1,
                               kMaxPrint},
                              kName,
                              kSuffix,
                              kTag,
                              kInstance},
               .members = "answers more cursor?",
               .result = "each answer with its name, type, TTL and records"},
              print},
             {{.name = "cache.flush",
               .help = "Removes the answers that one filter selects, or all of them.",
               .changes = Changes::always(),
               .piece = ops::Piece::small(),
               .parameters = {kName,
                              kSuffix,
                              kTag,
                              kInstance,
                              {"all", ParamType::flag, "true: all answers of all caches"},
                              {"with_rows", ParamType::flag,
                               "true: remove the rows of their addresses from routers too"}},
               .members = "flushed rows? more? took_ms",
               .result = "the number of removed answers"},
              flush},
             {{.name = "cache.dump",
               .help = "Writes the answers of a cache to a file.",
               .changes = Changes::always(),
               .piece = ops::Piece::small(),
               .role = AccessRole::admin,
               .parameters = {{"file", ParamType::path, "the file to write", true}, kOneInstance},
               .members = "answers took_ms",
               .result = "the number of written answers"},
              dump},
             {{.name = "cache.restore",
               .help = "Adds the answers of a dump to a cache.",
               .changes = Changes::always(),
               .piece = ops::Piece::small(),
               .role = AccessRole::admin,
               .parameters = {{"file", ParamType::path, "the dump to read", true}, kOneInstance},
               .members = "restored known expired took_ms",
               .result = "the number of restored answers"},
              restore}}};
}

}  // namespace

// The matcher is built on the service's thread, which a regexp may keep busy for a while.
CacheService::Filter named_by(std::vector<matchers::Rule> names) {
    struct Names {
        std::vector<matchers::Rule> rules;
        std::unique_ptr<matchers::NameMatcher> matcher;
        matchers::NameMatcher::Scratch scratch;
        bool is_built = false;

        bool hold(std::span<const std::uint8_t> name) {
            if (!std::exchange(is_built, true)) {
                matchers::NameMatcherBuilder builder;
                for (matchers::Rule& rule : rules)
                    builder.add(0, std::move(rule));
                std::vector<Error> errors, warnings;
                matcher = builder.build(errors, warnings);
                if (matcher != nullptr && !matcher->prepare(scratch)) matcher.reset();
            }
            // Without a matcher all answers go: none is stale then.
            return matcher == nullptr || matcher->match(name, scratch).test(0);
        }
    };
    const auto all = std::make_shared<Names>();
    all->rules = std::move(names);
    return [all](const cache::Entry& e) { return all->hold(e.name()); };
}

void add_cache_methods(ops::Methods& methods, const std::optional<CacheMethods>& m) {
    for (Declared& one : declared()) {
        one.method.run = [m, run = one.run](const ops::Arguments& asked, const ops::RpcDone& done) {
            if (m) return run(*m, asked, done);
            done(RpcError{RpcCode::internal_error, "the configuration has no cache"});
        };
        methods.add(std::move(one.method));
    }
}

void write_cache_metrics(ops::MetricWriter& writer, const CacheService& service,
                         const cache::Cache& cache, const LookupsOf& lookups) {
    struct Family {
        ops::KnownMetric metric;
        std::uint64_t (*of)(const cache::InstanceStats&);
    };
    using Stats = cache::InstanceStats;
    constexpr std::array kFamilies{
        Family{"steerdns_cache_entries", [](const Stats& s) -> std::uint64_t { return s.entries; }},
        Family{"steerdns_cache_bytes", [](const Stats& s) -> std::uint64_t { return s.bytes; }},
        Family{"steerdns_cache_limit_entries",
               [](const Stats& s) -> std::uint64_t { return s.limit; }},
        Family{"steerdns_cache_instance_inserts", [](const Stats& s) { return s.inserts; }},
        Family{"steerdns_cache_instance_evictions", [](const Stats& s) { return s.evictions; }},
        Family{"steerdns_cache_instance_flushed", [](const Stats& s) { return s.flushed; }},
    };
    for (const Family& family : kFamilies) {
        writer.family(family.metric);
        for (const CacheOf& one : service.caches())
            writer.sample({{"cache", one.tag}}, family.of(cache.instance_stats(one.instance)));
    }
    struct LookupFamily {
        ops::KnownMetric metric;
        std::uint64_t CacheLookupSums::*of;
    };
    constexpr std::array kLookups{
        LookupFamily{"steerdns_cache_instance_hits", &CacheLookupSums::hits},
        LookupFamily{"steerdns_cache_instance_misses", &CacheLookupSums::misses},
        LookupFamily{"steerdns_cache_instance_stale_answers", &CacheLookupSums::stale},
    };
    for (const LookupFamily& family : kLookups) {
        writer.family(family.metric);
        for (const CacheOf& one : service.caches())
            writer.sample({{"cache", one.tag}}, lookups(one.instance).*family.of);
    }
    writer.family("steerdns_cache_dump_answers");
    for (std::size_t i = 0; i < service.caches().size(); ++i)
        writer.sample({{"cache", service.caches()[i].tag}}, service.dump_state(i).dumped);
    writer.family("steerdns_cache_dump_failures");
    for (std::size_t i = 0; i < service.caches().size(); ++i)
        writer.sample({{"cache", service.caches()[i].tag}}, service.dump_state(i).failed);
}

}  // namespace steer
