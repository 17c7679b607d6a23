#include "tools/import/unbound_import.h"

#include <algorithm>

#include "tools/import/unbound_options.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

// A secret is not repeated.
std::string unbound_text(const UnboundOption& option) {
    const bool is_secret = option.name.find("secret") != std::string::npos;
    return option.name + ": " + (is_secret ? "..." : join(option.args, " "));
}

}  // namespace

std::string unbound_line(const UnboundOption& option) {
    std::string out = option.name + ":";
    for (const std::string& arg : option.args) {
        const bool is_plain = !arg.empty() && !arg.ends_with(':') && !arg.starts_with('#') &&
                              arg.find_first_of(" \t\"'\r") == std::string::npos;
        const char quote = arg.find('"') == std::string::npos ? '"' : '\'';
        out += ' ';
        out += is_plain ? arg : quote + arg + quote;
    }
    return out;
}

void leave_out_unbound(ResolverModel& out, const UnboundOption& option, std::string_view why) {
    out.notes.push_back(
        {option.place, in_quotes(unbound_text(option)) + " is not imported: " + std::string(why)});
}

std::optional<bool> read_unbound_flag(const UnboundOption& option, ResolverModel& out) {
    const std::string& value = option.args.front();
    if (value == "yes" || value == "no") return value == "yes";
    leave_out_unbound(out, option, "expected yes or no");
    return std::nullopt;
}

Imported import_unbound(std::string_view text, std::string_view source,
                        const IncludeReader& include, const FileTest& is_there,
                        const std::vector<IncludedText>& more) {
    UnboundFile file = read_unbound(text, include, more);
    if (file.failure) return {{}, {}, std::move(file.failure)};
    ResolverModel model;
    model.notes = std::move(file.notes);
    std::vector<UnboundOption> server;
    bool uses_tls = false;
    for (const UnboundClause& clause : file.clauses) {
        if (clause.name != "server") continue;
        for (const UnboundOption& option : clause.options) {
            server.push_back(option);
            if (option.name == "tls-upstream" || option.name == "ssl-upstream")
                uses_tls = option.args.front() == "yes";
        }
    }
    read_unbound_server(server, is_there, model);
    read_unbound_names(server, model);
    for (const UnboundClause& clause : file.clauses) {
        if (clause.name != "server") read_unbound_clause(clause, uses_tls, is_there, model);
    }
    return write_resolver(std::move(model), "unbound", source, is_there);
}

}  // namespace steer::importing
