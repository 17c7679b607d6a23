#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;

namespace {

struct ExplainOptions {
    std::string name, type = "A", client, server, id;
    std::uint16_t port = 53;
    bool tcp = false;
};

struct TraceOptions {
    std::string name, client, end;
    bool exact = false;
    unsigned seconds = 10, most = 100, one_in = 1;
};

int run_explain(const Options& options, const ExplainOptions& asked) {
    if (asked.name.empty() && asked.id.empty())
        return misused("a name is missing; write one, as in 'steerctl explain www.example.org'");
    json::object params;
    if (!asked.id.empty()) {
        params["id"] = asked.id;
    } else {
        params = {
            {"name", asked.name}, {"type", asked.type}, {"port", asked.port}, {"tcp", asked.tcp}};
        if (!asked.client.empty()) params["client"] = asked.client;
        if (!asked.server.empty()) params["server"] = asked.server;
    }
    return show(options, "explain", explain_text, params, kLongPatience);
}

// Each request returns as soon as there are traces.
int run_trace(const Options& options, const TraceOptions& asked) {
    json::object params{
        {"one_in", asked.one_in}, {"exact", asked.exact}, {"seconds", 1}, {"most", asked.most}};
    if (!asked.name.empty()) params["name"] = asked.name;
    if (!asked.client.empty()) params["client"] = asked.client;
    if (!asked.end.empty()) params["end"] = asked.end;
    constexpr unsigned kMostAtOnce = 256;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(asked.seconds);
    unsigned left = asked.most;
    do {
        params["most"] = std::min(left, kMostAtOnce);
        const Reply reply = ask(options.socket, "trace", params);
        if (!reply.error.empty()) return fail(reply);
        if (options.as_json) {
            print_json(reply.result);
        } else {
            print(trace_text(reply.result));
        }
        std::fflush(stdout);
        left -= std::min(left, count_traces(reply.result));
        params["after"] = next_trace(reply.result);
    } while (asks_for_more(until - std::chrono::steady_clock::now(), left));
    return 0;
}

}  // namespace

Run add_explain(CLI::App& command, Options& options) {
    const auto asked = std::make_shared<ExplainOptions>();
    command.add_option("NAME", asked->name, "Domain name");
    command.add_option("TYPE", asked->type, "Record type")->capture_default_str();
    command.add_option("--client", asked->client,
                       "Ask for this client: an IP address, or its name");
    command.add_option("--server", asked->server, "Ask this address of steerdnsd");
    command.add_option("--port", asked->port, "Ask this port")->capture_default_str();
    command.add_flag("--tcp", asked->tcp, "Ask as over TCP");
    command.add_option("--id", asked->id, "Show a trace of `trace` in full, and ask nothing");
    return [&options, asked] { return run_explain(options, *asked); };
}

Run add_trace(CLI::App& command, Options& options) {
    const auto asked = std::make_shared<TraceOptions>();
    command.add_option("--name", asked->name, "Only this name and names below it");
    command.add_flag("--exact", asked->exact, "Only the name itself");
    command.add_option("--client", asked->client,
                       "Only this client: an address, a prefix, or its name");
    command.add_option("--end", asked->end, "Only queries with this end, as in `counters`");
    command.add_option("--one-in", asked->one_in, "Trace one query in this number")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command.add_option("--seconds", asked->seconds, "Duration in seconds")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    command.add_option("--most", asked->most, "Maximum number of traces")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    return [&options, asked] { return run_trace(options, *asked); };
}

}  // namespace steerctl
