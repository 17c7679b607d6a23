#include "control/observe/trace/trace_service.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "control/api/log/mnemonics.h"
#include "control/api/log/response_text.h"
#include "control/config/text/dns_names.h"
#include "control/observe/lists/holding_rules.h"
#include "control/observe/recorder/deciders.h"
#include "control/observe/trace/trace_json.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/type_names.h"
#include "matchers/quote.h"
#include "routeros/router.h"

namespace steer {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// A query that `explain` asks.
struct TraceService::Asked {
    std::uint64_t id = 0;
    std::string name;
    stream::TracedQuestion question;
    std::uint64_t deadline_ms = 0;
    ops::RpcDone done;
    boost::asio::steady_timer timer;
    std::optional<std::vector<std::uint8_t>> response{};
    object result{};
    WantedRows rows{};
    bool writes_rows = false;
};

// A request of `trace`.
struct TraceService::Collect {
    std::uint64_t after = 0, until_ms = 0;
    std::size_t most = 0;
    std::string end;
    bool at_once = false;  // as soon as there is one
    ops::RpcDone done;
    boost::asio::steady_timer timer;
    std::shared_ptr<Filter> filter{};
};

// A filter in force, of one or more requests of `trace` with the same parameters.
struct TraceService::Filter {
    std::string text;
    std::uint8_t number = 0;  // TraceFilter::number
    TraceFilter selects{};
    unsigned waiting = 0;          // requests
    std::uint64_t kept_to_ms = 0;  // without one: a request may follow
    std::uint32_t passed_by = 0;   // since the last answer to one of them
};

namespace {

constexpr std::chrono::milliseconds kTraceEvery{5};
constexpr std::chrono::milliseconds kRowsEvery{20};
constexpr std::uint64_t kExplainMs = 5'000, kMaxExplainMs = 30'000;
constexpr unsigned kTraceSeconds = 10, kMaxTraceSeconds = 300, kMostTraces = 100;
constexpr std::uint64_t kKeepFilterMs = 5'000;  // between two requests that follow each other
constexpr std::size_t kMaxKeptEvents = 100'000;
constexpr std::uint16_t kFirstExplainPort = 49'152, kExplainPorts = 16'000;

std::optional<std::uint64_t> trace_id_of(const std::string& text) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return id;
}

ops::RpcError trace_failure(std::string what) {
    return {ops::RpcCode::internal_error, std::move(what)};
}

// Whether a set of the matcher is of this plugin, as in "domain_set 'ads'". The lists of an adlist 'ads' are the sets
// 'ads.1', 'ads.2', …
bool is_set_of(std::string_view tag, std::string_view plugin) {
    const auto quoted = [](std::string_view text) { return "'" + std::string(text) + "'"; };
    if (plugin.find(quoted(tag)) != std::string_view::npos) return true;
    return plugin.starts_with("adlist ") &&
           plugin.ends_with(quoted(tag.substr(0, tag.find_last_of('.'))));
}

object matched_rule(const object& rule) {
    return {{"rule", rule.at("rule")},
            {"says", rule.at("says")},
            {"file", rule.at("file")},
            {"line", rule.at("line")}};
}

// Adds the list rules that a test's sets have the name by. Which of its records a `static` takes is a step of its own.
void add_matched(object& trace, const array& rules) {
    for (value& step : trace["way"].as_array()) {
        object& one = step.as_object();
        const auto* const sets = one.if_contains("sets");
        if (sets == nullptr || sets->as_array().empty()) continue;
        array matched;
        for (const value& rule : rules) {
            const object& r = rule.as_object();
            const std::string_view plugin = r.at("plugin").as_string();
            if (plugin.starts_with("static ")) continue;
            const bool of_set = std::ranges::any_of(sets->as_array(), [&](const value& tag) {
                return is_set_of(tag.as_string(), plugin);
            });
            const bool in_place =
                one.contains("line") &&
                plugin.ends_with("in line " +
                                 std::to_string(one.at("line").to_number<std::int64_t>()));
            if (!of_set && !in_place) continue;
            matched.push_back(matched_rule(r));
        }
        if (!matched.empty()) one["matched"] = std::move(matched);
    }
}

// The step in which an ad list denies a name that the answer points to; nullptr: there is none.
object* denied_step(object& trace) {
    for (value& step : trace["way"].as_array()) {
        if (step.as_object().at("what").as_string() ==
            kTraceLabels[static_cast<std::size_t>(TraceWhat::denied_target)])
            return &step.as_object();
    }
    return nullptr;
}

// Adds that ad list's rules for the name.
void add_denied(object& step, const array& rules) {
    const auto* const tag = step.if_contains("adlist");
    if (tag == nullptr) return;
    array matched;
    for (const value& rule : rules) {
        const object& r = rule.as_object();
        if (r.at("plugin").as_string() == "adlist '" + std::string(tag->as_string()) + "'")
            matched.push_back(matched_rule(r));
    }
    step["matched"] = std::move(matched);
}

}  // namespace

TraceService::TraceService(boost::asio::io_context& main_io, ConfigSource source)
    : main_io_(main_io), source_(std::move(source)) {}

TraceService::~TraceService() {
    if (parts_ == nullptr) return;
    TraceMessage m;
    for (unsigned w = 0; w < parts_->runtime.workers(); ++w) {
        while (parts_->runtime.traces(w).pop(&m, 1) == 1)
            release(m.buffer);
    }
}

void TraceService::begin(const Parts& parts) {
    parts_ = std::make_unique<Parts>(parts);
    next_id_ = parts.runtime.traces_from();
    auto& shared = parts.runtime.shared();
    filter_ = std::make_unique<Published<TraceFilter>>(shared.trace_filter, shared.qsbr);
}

void TraceService::end() {
    is_ended_ = true;
    if (parts_ != nullptr)
        parts_->runtime.shared().trace_filter.store(nullptr, std::memory_order_release);
}

void TraceService::add_methods(ops::Methods& methods) {
    using ops::ParamType;
    methods.add(
        {.name = "explain",
         .help = "Asks a query and shows its whole way: rules, cache, upstreams, lists, rows.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::report(),
         .parameters =
             {{"name", ParamType::text, "a domain name; required without id"},
              {"type", ParamType::text, "a record type (default: A)"},
              {"client", ParamType::client,
               "the client to ask for (default: 127.0.0.1); others need the role operate"},
              {"server", ParamType::address, "the address to ask (default: 127.0.0.1 or ::1)"},
              {"port", ParamType::number, "the port to ask (default: 53)", false, 1, 65535},
              {"tcp", ParamType::flag, "true: as over TCP"},
              {"id", ParamType::text, "show this trace in memory, and ask nothing"},
              {"wait_ms", ParamType::number,
               "maximum time for the answer and for routers, in ms (default: 5000)", false, 1,
               kMaxExplainMs, "ms"}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { explain(asked, done); },
         .members =
             "id serial name type class client client_port server port transport injected "
             "worker configuration took_ms end lists events_lost passed_by way decision? answer? "
             "response? rows failures rules rules_more?",
         .result = "the trace, response, list rules (`rules_more`: see `why`), rows, reasons of a "
                   "recursion"});
    methods.add(
        {.name = "trace",
         .help = "Traces real queries for some seconds, by name, client and end.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::report(),
         .parameters = {{"name", ParamType::text, "only this name and names below it"},
                        {"exact", ParamType::flag, "true: only the name itself"},
                        {"client", ParamType::client, "only queries of this client"},
                        {"end", ParamType::text, "only queries with this end, as in `counters`"},
                        {"one_in", ParamType::number, "trace one query in this number (default: 1)",
                         false, 1, 1'000'000},
                        {"seconds", ParamType::number, "duration in seconds (default: 10)", false,
                         1, kMaxTraceSeconds, "s"},
                        {"most", ParamType::number, "maximum number of traces (default: 100)",
                         false, 1, kKept},
                        {"after", ParamType::number,
                         "return as soon as there are traces after this serial number"}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { trace(asked, done); },
         .members = "traces next lost",
         .result = "the traces, the serial number of the last one, and how many were lost"});
}

// ---- explain

void TraceService::explain(const ops::Arguments& asked, const ops::RpcDone& done) {
    if (parts_ == nullptr) return done(trace_failure("not serving yet"));
    if (asked.has("id")) return explain_kept(asked.text("id"), done);
    const auto wire = config::asked_name(asked.text("name"));
    if (asked.text("name").empty() || !wire)
        return done(ops::bad_params("'name' must be a domain name, or give 'id'"));
    const std::string type_text = asked.find_text("type").value_or("A");
    const auto type = dns::type_from_text(type_text);
    if (!type) return done(ops::bad_params("'" + type_text + "' is not a record type"));
    const auto one =
        std::make_shared<Asked>(Asked{.done = done, .timer = boost::asio::steady_timer(main_io_)});
    stream::TracedQuestion& q = one->question;
    q.client = *IpAddress::parse("127.0.0.1");
    if (const auto client = asked.find_text("client")) {
        if (asked.caller().role < AccessRole::operate) {
            return done(ops::RpcError{ops::RpcCode::forbidden,
                                      "asking for another client needs the role operate"});
        }
        const auto address = IpAddress::parse(*client);
        if (!address)
            return done(ops::bad_params("a query has one client: write an address, not " +
                                        matchers::quoted(*client)));
        q.client = *address;
    }
    q.local = *IpAddress::parse(q.client.is_v4() ? "127.0.0.1" : "::1");
    if (const auto server = asked.find_text("server")) q.local = *IpAddress::parse(*server);
    q.local_port = static_cast<std::uint16_t>(asked.number("port", 53));
    next_port_ = static_cast<std::uint16_t>((next_port_ + 1) % kExplainPorts);
    q.client_port = static_cast<std::uint16_t>(kFirstExplainPort + next_port_);
    q.transport = asked.is_true("tcp") ? ClientTransport::tcp : ClientTransport::udp;
    q.trace_id = one->id = ++next_id_;
    q.message.resize(dns::kHeaderSize + wire->size() + 64);
    q.message.resize(dns::write_query(q.message, static_cast<std::uint16_t>(one->id), *wire, *type,
                                      dns::kIn, true, false, true, false));
    one->name = asked.text("name");
    one->deadline_ms = parts_->clock.now().ms + asked.number("wait_ms", kExplainMs);
    ask(one);
}

void TraceService::explain_kept(const std::string& text, const ops::RpcDone& done) {
    const auto id = trace_id_of(text);
    const Kept* const kept = id ? find(*id) : nullptr;
    if (kept == nullptr) {
        return done(trace_failure("there is no trace '" + text + "': the last " +
                                  std::to_string(kKept) +
                                  " traces are in memory; list them with 'steerctl trace'"));
    }
    const auto one =
        std::make_shared<Asked>(Asked{.done = done, .timer = boost::asio::steady_timer(main_io_)});
    one->id = kept->id;
    one->name = std::string(kept->json.at("name").as_string());
    one->result = kept->json;
    one->rows = kept->rows;
    add_rows(one);
}

void TraceService::ask(const std::shared_ptr<Asked>& asked) {
    parts_->streams.ask(asked->question, [this, asked](std::vector<std::uint8_t> bytes) {
        boost::asio::post(main_io_, [asked, response = std::move(bytes)]() mutable {
            asked->response = std::move(response);
        });
    });
    await_answer(asked);
}

// The answer and the trace come by two paths.
void TraceService::await_answer(const std::shared_ptr<Asked>& asked) {
    if (is_ended_) return asked->done(trace_failure("the daemon ends"));
    poll();
    const Kept* const kept = find(asked->id);
    const bool is_late = parts_->clock.now().ms >= asked->deadline_ms;
    if ((kept == nullptr || !asked->response) && !is_late) {
        asked->timer.expires_after(kTraceEvery);
        asked->timer.async_wait([this, asked](const boost::system::error_code& error) {
            if (!error) await_answer(asked);
        });
        return;
    }
    if (kept == nullptr)
        return asked->done(trace_failure(asked->response && !asked->response->empty()
                                             ? "the query was answered, but not traced: too many "
                                               "traces are under way; ask again"
                                             : "the query has no answer yet: raise wait_ms"));
    asked->result = kept->json;
    asked->rows = kept->rows;
    array lines;
    if (asked->response) {
        for (const std::string& line : ops::response_lines(*asked->response))
            lines.emplace_back(line);
    }
    asked->result["response"] = std::move(lines);
    asked->writes_rows = std::ranges::any_of(kept->json.at("way").as_array(), [](const value& e) {
        const auto* const row = e.as_object().if_contains("row");
        return row != nullptr && row->as_string() != "covered";
    });
    add_rows(asked);
}

void TraceService::add_rows(const std::shared_ptr<Asked>& asked) {
    asked->result["rows"] = array{};
    if (is_ended_ || asked->rows.lists.empty() || asked->rows.addresses.empty())
        return add_rules(asked);
    parts_->routers->visit([this, asked, wanted = asked->rows](
                               const std::vector<RouterThread::Seen>& all, std::uint64_t) {
        array rows;
        for (const auto& seen : all) {
            for (auto& row : row_sentences(seen.name, seen.router.trace().since(0), wanted))
                rows.push_back(std::move(row));
        }
        boost::asio::post(main_io_, [this, asked, found = std::move(rows)]() mutable {
            const bool all_ended = std::ranges::all_of(
                found, [](const value& row) { return row.as_object().contains("reply"); });
            const bool is_over = is_ended_ || parts_->clock.now().ms >= asked->deadline_ms;
            if (is_over || (all_ended && (!asked->writes_rows || !found.empty()))) {
                asked->result["rows"] = std::move(found);
                return add_rules(asked);
            }
            asked->timer.expires_after(kRowsEvery);
            asked->timer.async_wait([this, asked](const boost::system::error_code& error) {
                if (!error) add_rows(asked);
            });
        });
    });
}

void TraceService::add_rules(const std::shared_ptr<Asked>& asked) {
    asked->result["failures"] = parts_->failures_of(asked->name);
    if (is_busy_) {
        asked->timer.expires_after(kRowsEvery);
        asked->timer.async_wait([this, asked](const boost::system::error_code& error) {
            if (!error) add_rules(asked);
        });
        return;
    }
    is_busy_ = true;
    std::string target;
    if (const object* const denied = denied_step(asked->result))
        target = denied->at("name").as_string();
    const Snapshot* const snapshot =
        parts_->runtime.shared().snapshot.load(std::memory_order_acquire);
    const auto zones_of = [snapshot](const std::string& name) {
        return snapshot != nullptr ? zone_rules(*snapshot, name) : std::vector<ZoneRule>();
    };
    const auto begun = thread_.run([this, asked, target, target_zones = zones_of(target),
                                    zones = zones_of(asked->name)] {
        ops::RpcResult of_target = value(array{});
        HoldingPage first_of_target, first;
        if (!target.empty())
            of_target = holding_rules(source_, target, target_zones, first_of_target);
        auto rules = holding_rules(source_, asked->name, zones, first);
        boost::asio::post(main_io_, [this, asked, found = std::move(rules),
                                     has_more = first.next.has_value(),
                                     of_target = std::move(of_target)]() mutable {
            is_busy_ = false;
            asked->result["rules"] = array{};
            if (object* const denied = denied_step(asked->result); denied != nullptr && of_target)
                add_denied(*denied, of_target->as_array());
            if (found) {
                add_matched(asked->result, found->as_array());
                asked->result["rules"] = std::move(*found);
                if (has_more) asked->result["rules_more"] = true;
            }
            asked->done(value(std::move(asked->result)));
        });
    });
    if (begun) return;
    is_busy_ = false;
    asked->done(value(std::move(asked->result)));
}

// ---- trace

void TraceService::trace(const ops::Arguments& asked, const ops::RpcDone& done) {
    if (parts_ == nullptr) return done(trace_failure("not serving yet"));
    TraceFilter filter;
    filter.one_in = static_cast<std::uint32_t>(asked.number("one_in", 1));
    filter.below = !asked.is_true("exact");
    if (const auto name = asked.find_text("name")) {
        const auto wire = config::asked_name(*name);
        if (!wire) return done(ops::bad_params("'" + *name + "' is not a domain name"));
        dns::lower_case(wire->data(), filter.name.data(), wire->size());
        filter.name_len = static_cast<std::uint8_t>(wire->size());
    }
    if (const auto client = asked.find_text("client")) {
        const auto prefix = matchers::Prefix::parse(*client);
        if (!prefix)
            return done(ops::bad_params("'" + *client + "' is not an address or a prefix"));
        filter.clients = matchers::PrefixSet({*prefix});
    }
    const std::string text = asked.text("name") + " " + asked.text("client") + " " +
                             std::to_string(filter.one_in) + (filter.below ? "" : " exact");
    const std::uint64_t now_ms = parts_->clock.now().ms;
    poll();
    const auto of_request = filter_for(text, std::move(filter));
    if (of_request == nullptr) {
        return done(trace_failure(std::to_string(kMaxTraceFilters) +
                                  " other traces are running: ask again when one has ended"));
    }
    const auto wanted = std::make_shared<Collect>(
        Collect{.after = asked.number("after", serial_),
                .until_ms = now_ms + asked.number("seconds", kTraceSeconds) * 1000,
                .most = asked.number("most", kMostTraces),
                .end = asked.text("end"),
                .at_once = asked.has("after"),
                .done = done,
                .timer = boost::asio::steady_timer(main_io_),
                .filter = of_request});
    ++of_request->waiting;
    if (wanted->at_once)
        of_request->kept_to_ms = std::max(of_request->kept_to_ms, wanted->until_ms + kKeepFilterMs);
    collect(wanted);
}

// The filter with this text, or a new one. nullptr: there are kMaxTraceFilters others.
std::shared_ptr<TraceService::Filter> TraceService::filter_for(const std::string& text,
                                                               TraceFilter selects) {
    const auto same = std::ranges::find_if(
        filters_, [&](const std::shared_ptr<Filter>& f) { return f->text == text; });
    if (same != filters_.end()) return *same;
    if (filters_.size() == kMaxTraceFilters) return nullptr;
    // The number after the last one, so that traces of a filter that ended are none of this one.
    do {
        next_number_ = static_cast<std::uint8_t>((next_number_ + 1U) % kMaxTraceFilters);
    } while (
        std::ranges::any_of(filters_, [this](const auto& f) { return f->number == next_number_; }));
    selects.number = next_number_;
    filters_.push_back(std::make_shared<Filter>(
        Filter{.text = text, .number = next_number_, .selects = std::move(selects)}));
    publish_filters();
    return filters_.back();
}

void TraceService::publish_filters() {
    if (filters_.empty()) {
        parts_->runtime.shared().trace_filter.store(nullptr, std::memory_order_release);
        return;
    }
    std::shared_ptr<const TraceFilter> chain;
    for (std::size_t i = filters_.size(); i-- > 1;) {
        auto one = std::make_shared<TraceFilter>(filters_[i]->selects);
        one->next = std::move(chain);
        chain = std::move(one);
    }
    auto first = std::make_unique<TraceFilter>(filters_.front()->selects);
    first->next = std::move(chain);
    filter_->put(std::move(first));
}

void TraceService::collect(const std::shared_ptr<Collect>& wanted) {
    if (is_ended_) return wanted->done(trace_failure("the daemon ends"));
    poll();
    array found;
    std::uint64_t last = wanted->after;
    for (const Kept& kept : kept_) {
        if (kept.serial <= wanted->after || found.size() == wanted->most) continue;
        last = kept.serial;
        if ((kept.filters >> wanted->filter->number & 1U) == 0 ||
            (!wanted->end.empty() && kept.end != wanted->end))
            continue;
        found.push_back(kept.json);
    }
    const bool is_enough = found.size() == wanted->most || (wanted->at_once && !found.empty());
    if (!is_enough && parts_->clock.now().ms < wanted->until_ms) {
        wanted->timer.expires_after(kTraceEvery);
        wanted->timer.async_wait([this, wanted](const boost::system::error_code& error) {
            if (!error) collect(wanted);
        });
        return;
    }
    --wanted->filter->waiting;
    wanted->done(value(object{{"traces", std::move(found)},
                              {"next", last},
                              {"lost", std::exchange(wanted->filter->passed_by, 0)}}));
    poll();
}

// ---- what comes

void TraceService::poll() {
    if (parts_ == nullptr || is_ended_) return;
    TraceMessage m;
    for (unsigned w = 0; w < parts_->runtime.workers(); ++w) {
        auto& ring = parts_->runtime.traces(w);
        for (unsigned left = ring.capacity(); left > 0 && ring.pop(&m, 1) == 1; --left)
            take(m.buffer);
    }
    filter_->poll();
    const std::uint64_t now_ms = parts_->clock.now().ms;
    const auto ended = std::erase_if(filters_, [&](const std::shared_ptr<Filter>& f) {
        return f->waiting == 0 && now_ms >= f->kept_to_ms;
    });
    if (ended != 0) publish_filters();
}

// A worker's trace says that a rule of people decided, and not which one.
void TraceService::add_rule_numbers(object& json, const TraceCopy& trace) const {
    for (value& one : json.at("way").as_array()) {
        object& step = one.as_object();
        const value* const by = step.if_contains("plugin");
        if (by == nullptr || by->as_string() != recorder::kRulesOfPeople || !parts_->deciding_rule)
            continue;
        const std::uint32_t number =
            parts_->deciding_rule(dns::name_to_text(trace.name()), trace.head.client);
        if (number == 0) continue;
        step["number"] = number;
        step["text"] =
            std::string(step.at("text").as_string()) + ", rule " + std::to_string(number);
    }
}

void TraceService::take(Buffer* buffer) {
    const TraceCopy trace = copy_trace(*buffer);
    release(buffer);
    // Workers do not count by filter: each operator may have missed them.
    for (const std::shared_ptr<Filter>& filter : filters_)
        filter->passed_by += trace.head.passed_by;
    object json =
        trace_json(trace, {parts_->snapshot(trace.head.generation), &parts_->in_force.sets});
    add_rule_numbers(json, trace);
    WantedRows rows;
    rows.began_ms = trace.head.began_ms;
    for (const value& tag : json.at("lists").as_array())
        rows.lists.emplace_back(tag.as_string());
    if (const auto* const answer = trace.last(TraceWhat::answer)) {
        for (const IpAddress& address : addresses_of(*answer))
            rows.addresses.push_back(address.to_string());
    }
    json["serial"] = ++serial_;
    kept_events_ += trace.events.size();
    kept_.push_back({serial_, trace.head.id, end_label(trace), std::move(json), trace.head.filters,
                     std::move(rows), trace.events.size()});
    while (kept_.size() > kKept || (kept_events_ > kMaxKeptEvents && kept_.size() > 1)) {
        kept_events_ -= kept_.front().events;
        kept_.pop_front();
    }
}

const TraceService::Kept* TraceService::find(std::uint64_t id) const {
    const auto kept = std::ranges::find(kept_, id, &Kept::id);
    return kept != kept_.end() ? &*kept : nullptr;
}

}  // namespace steer
