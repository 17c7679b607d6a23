// explain [--from SEED] [--count N]: for random configurations and questions, the trace of a query that `explain` asks is
// that of the real query, field by field, with the commands to routers; and a traced query is answered as an untraced one.
//
// Three worlds of whole workers and simulated routers get the same history. The first gets queries in frames, traced by a
// filter; the second as messages with a trace id, as `explain` injects them; the third in frames, untraced.
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>
#include <set>

#include "control/observe/trace/trace_json.h"
#include "differential/geo.h"
#include "differential/maker.h"
#include "differential/seeds.h"
#include "differential/world.h"
#include "scenario/world.h"
#include "support/temp_folder.h"

namespace steer::differential {
namespace {

namespace json = boost::json;
using test::Ms;

constexpr Ms kLongest = 9'000;  // for which a query may wait
constexpr Ms kStep = 5;
constexpr Ms kForRows = 100;

struct Totals {
    unsigned refused = 0, cases = 0, steps = 0, by_plan = 0, packet_cache = 0, upstreams = 0,
             rows = 0, held = 0, hits = 0, dropped = 0;
};

test::WorldOptions options_of(const std::string& file) {
    test::WorldOptions options;
    options.config = file;
    options.environment = {{"NAIVE_KEY", "value"}};
    return options;
}

// A world and what its upstreams say.
struct Side {
    explicit Side(const std::string& file) : product(options_of(file)) {}

    void answer_upstreams() {
        while (!product.queries.empty()) {
            const test::SeenQuery q = product.queries.front();
            product.queries.pop_front();
            const auto reply = world.ask(q.upstream(), q.name, q.type, 1);
            if (!reply) continue;
            test::Served served;
            served.rcode = reply->rcode;
            for (const Record& r : reply->answer) {
                if (r.type == kTxt) continue;
                served.records.push_back({r.owner, r.data, r.type, r.ttl_s});
            }
            if (reply->soa)
                served.soa = {reply->soa->ttl_s,
                              static_cast<std::uint32_t>(std::stoul(reply->soa->data))};
            (void)product.answer(q.upstream(), q.name, q.type, served);
        }
    }
    void pass(Ms ms) {
        product.advance_to(product.elapsed() + ms);
        answer_upstreams();
    }
    void take_traces() {
        for (TraceCopy& trace : product.take_traces())
            traces.push_back(std::move(trace));
    }

    test::World product;
    World world;
    std::vector<TraceCopy> traces;
};

// What may differ: the number of the trace, and how the query arrived.
json::object comparable(const TraceCopy& trace, Side& side, Totals* totals) {
    json::object all = trace_json(trace, side.product.trace_terms());
    for (const char* const key : {"id", "injected", "client_port", "passed_by"})
        all.erase(key);
    json::array trail;
    for (json::value& event : all["way"].as_array()) {
        const std::string what(event.at("what").as_string());
        if (totals != nullptr) {
            totals->steps += what == "step" ? 1U : 0U;
            totals->by_plan += event.as_object().contains("by_plan") ? 1U : 0U;
            totals->packet_cache += what == "packet_cache" ? 1U : 0U;
            totals->upstreams += what == "replied" ? 1U : 0U;
            totals->held += what == "acknowledged" ? 1U : 0U;
            totals->hits += what == "cache" && event.at("result") == "hit" ? 1U : 0U;
        }
        if (what != "packet_cache") trail.push_back(std::move(event));
    }
    all["way"] = std::move(trail);
    WantedRows wanted;
    wanted.began_ms = trace.head.began_ms;
    for (const json::value& tag : all["lists"].as_array())
        wanted.lists.emplace_back(tag.as_string());
    if (const auto* const answer = trace.last(TraceWhat::answer)) {
        for (const IpAddress& address : addresses_of(*answer))
            wanted.addresses.push_back(address.to_string());
    }
    all["rows"] = side.product.rows_of(wanted);
    if (totals != nullptr) totals->rows += static_cast<unsigned>(all["rows"].as_array().size());
    if (totals != nullptr && all["end"] == "dropped_by_policy") ++totals->dropped;
    return all;
}

// The steps of a plan lead, one after the other, from the entry of the program to where the plan says that it ends. The
// query goes on there.
std::string plan_error(const TraceCopy& trace, const Snapshot& snapshot) {
    unsigned at = snapshot.entries[trace.head.entry], end = kTraceNone;
    for (const TraceCopy::Event& event : trace.events) {
        const TraceEvent& e = event.head;
        if (e.branch != 0) continue;
        if (e.what == TraceWhat::plan) end = e.pc;
        if (e.what != TraceWhat::step || end == kTraceNone || (e.flags & trace_flags::kHit) != 0)
            continue;
        if (e.pc != at)
            return "step " + std::to_string(e.pc) + " comes after " + std::to_string(at);
        at = e.c;
        if ((e.flags & trace_flags::kPlan) != 0) continue;
        if (e.pc != end)
            return "the plan ends at " + std::to_string(end) + ", not at " + std::to_string(e.pc);
        return "";
    }
    return "";
}

std::string first_difference(const json::object& a, const json::object& b) {
    for (const auto& [key, value] : a) {
        const auto* const other = b.if_contains(key);
        if (other == nullptr) return std::string(key) + " is in the first only";
        if (value == *other) continue;
        if (value.is_array() && other->is_array()) {
            const auto &x = value.as_array(), &y = other->as_array();
            for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
                const std::string left = i < x.size() ? json::serialize(x[i]) : "nothing";
                const std::string right = i < y.size() ? json::serialize(y[i]) : "nothing";
                if (left != right)
                    return std::string(key) + "[" + std::to_string(i) + "]:\n  real:    " + left +
                           "\n  explain: " + right;
            }
        }
        return std::string(key) + ":\n  real:    " + json::serialize(value) +
               "\n  explain: " + json::serialize(*other);
    }
    return a.size() == b.size() ? "" : "the second has more fields";
}

bool is_same_answer(const test::SeenAnswer& a, const test::SeenAnswer& b) {
    return a.rcode == b.rcode && a.truncated == b.truncated && a.records == b.records &&
           a.authority == b.authority && a.edns.ede == b.edns.ede && a.at == b.at;
}

class Comparison {
  public:
    explicit Comparison(const std::string& file) : real_(file), explained_(file), untraced_(file) {
        real_.product.trace_all();
    }

    std::string ask(const Question& q, std::uint64_t id, Totals& totals) {
        for (Side* const side : all_)
            side->pass(q.after_ms);
        real_.product.ask(q.client, q.name, q.type);
        untraced_.product.ask(q.client, q.name, q.type);
        explained_.product.inject(q.client, q.name, q.type, id);
        for (Ms waited = 0;; waited += kStep) {
            for (Side* const side : all_) {
                side->answer_upstreams();
                side->take_traces();
            }
            if (!real_.traces.empty() && !explained_.traces.empty()) break;
            if (waited > kLongest) return "a trace does not end";
            for (Side* const side : all_)
                side->pass(kStep);
        }
        for (Side* const side : all_)
            side->pass(kForRows);
        if (real_.traces.size() != 1 || explained_.traces.size() != 1)
            return "one query has more than one trace";
        const auto real = comparable(real_.traces.front(), real_, &totals);
        const auto explained = comparable(explained_.traces.front(), explained_, nullptr);
        const std::string plan =
            plan_error(real_.traces.front(), *real_.product.trace_terms().snapshot);
        const bool has_id = explained_.traces.front().head.id == id;
        real_.traces.clear();
        explained_.traces.clear();
        ++totals.cases;
        if (!plan.empty()) return plan;
        if (!has_id) return "the trace has another id";
        if (std::string where = first_difference(real, explained); !where.empty()) return where;
        const auto traced = std::exchange(real_.product.answers, {});
        const auto plain = std::exchange(untraced_.product.answers, {});
        explained_.product.answers.clear();
        if (!std::equal(traced.begin(), traced.end(), plain.begin(), plain.end(), is_same_answer))
            return "a traced query is answered in another way than an untraced one";
        return "";
    }

  private:
    Side real_, explained_, untraced_;
    std::array<Side*, 3> all_{&real_, &explained_, &untraced_};
};

// In half of the cases answers wait for routers.
std::string yaml_of(const Case& c, std::uint32_t seed) {
    std::string yaml = c.config.yaml();
    constexpr std::string_view kAsync = "password: p";
    for (std::size_t at = yaml.find(kAsync); seed % 2 == 0 && at != std::string::npos;
         at = yaml.find(kAsync, at + 20))
        yaml.replace(at, kAsync.size(), "password: p, async: false");
    return yaml;
}

int run(std::uint32_t from, std::uint32_t count) {
    const test::TempFolder folder;
    folder.write("geosite.dat", geosite_file());
    folder.write("geoip.dat", geoip_file());
    Totals totals;
    std::uint64_t id = 0;
    for (std::uint32_t seed = from; seed != from + count; ++seed) {
        const Case c = make_case(seed);
        folder.write("case.yaml", yaml_of(c, seed));
        std::unique_ptr<Comparison> comparison;
        try {
            comparison = std::make_unique<Comparison>(folder / "case.yaml");
        } catch (const std::runtime_error& error) {
            ++totals.refused;
            if (std::string(error.what()).find("more than") != std::string::npos) continue;
            std::cout << "seed " << seed << " is refused: " << error.what() << "\n";
            return 1;
        }
        for (const Question& q : c.questions) {
            if (q.klass != 1) continue;
            const std::string differs = comparison->ask(q, ++id, totals);
            if (differs.empty()) continue;
            std::cout << "seed " << seed << " differs:\n"
                      << yaml_of(c, seed) << text(q) << "\n"
                      << differs << std::endl;
            return 1;
        }
    }
    std::printf(
        "%u cases of %u configurations (%u too large): %u steps (%u by plan), %u hits (%u by the "
        "packet cache), %u replies of upstreams, %u held, %u dropped, %u commands to routers\n",
        totals.cases, count, totals.refused, totals.steps, totals.by_plan, totals.hits,
        totals.packet_cache, totals.upstreams, totals.held, totals.dropped, totals.rows);
    const bool is_about_something = totals.steps > totals.cases && totals.by_plan > 0 &&
                                    totals.hits > totals.cases / 20 && totals.packet_cache > 0 &&
                                    totals.upstreams > totals.cases / 4 && totals.held > 0 &&
                                    totals.rows > totals.cases / 10;
    if (count >= 50 && (totals.cases < 500 || !is_about_something)) {
        std::puts("that is too little of something");
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace steer::differential

int main(int argc, char** argv) {
    using steer::differential::Seeds;
    return steer::differential::run_seeds("explain", argc, argv, [](const Seeds& seeds) {
        return steer::differential::run(seeds.from, seeds.count);
    });
}
