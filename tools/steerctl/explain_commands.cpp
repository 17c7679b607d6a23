#include "explain_commands.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdio>

#include "output.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

ExplainCommands::ExplainCommands(CLI::App& app)
    : explain(app.add_subcommand("explain", "Ask a query and show its whole way")),
      trace(app.add_subcommand("trace", "Show the ways of real queries as they come")) {
    explain->add_option("NAME", name_, "Domain name");
    explain->add_option("TYPE", type_, "Record type")->capture_default_str();
    explain->add_option("--client", client_, "Ask for the client with this IP address");
    explain->add_option("--server", server_, "Ask this address of steerdnsd");
    explain->add_option("--port", port_, "Ask this port")->capture_default_str();
    explain->add_flag("--tcp", tcp_, "Ask as over TCP");
    explain->add_option("--id", id_, "Show a trace of `trace` in full, and ask nothing");
    trace->add_option("--name", name_, "Only this name and names below it");
    trace->add_flag("--exact", exact_, "Only the name itself");
    trace->add_option("--client", client_, "Only clients of this IP address or prefix");
    trace->add_option("--end", end_, "Only queries with this end, as in `counters`");
    trace->add_option("--one-in", one_in_, "Trace one query in this number")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    trace->add_option("--seconds", seconds_, "Duration in seconds")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    trace->add_option("--most", most_, "Maximum number of traces")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
}

int ExplainCommands::run(const Options& options) const {
    return explain->parsed() ? run_explain(options) : run_trace(options);
}

int ExplainCommands::run_explain(const Options& options) const {
    if (name_.empty() && id_.empty())
        return misused("a name is missing; write one, as in 'steerctl explain www.example.org'");
    json::object params;
    if (!id_.empty()) {
        params["id"] = id_;
    } else {
        params = {{"name", name_}, {"type", type_}, {"port", port_}, {"tcp", tcp_}};
        if (!client_.empty()) params["client"] = client_;
        if (!server_.empty()) params["server"] = server_;
    }
    return steerctl::show(options, "explain", explain_text, params, kLongPatience);
}

// Each request returns as soon as there are traces.
int ExplainCommands::run_trace(const Options& options) const {
    json::object params{{"one_in", one_in_}, {"exact", exact_}, {"seconds", 1}, {"most", most_}};
    if (!name_.empty()) params["name"] = name_;
    if (!client_.empty()) params["client"] = client_;
    if (!end_.empty()) params["end"] = end_;
    constexpr unsigned kMostAtOnce = 256;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_);
    unsigned left = most_;
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

}  // namespace steerctl
