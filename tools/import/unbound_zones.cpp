#include <algorithm>

#include "tools/import/unbound_import.h"
#include "tools/import/unbound_options.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

class UnboundClauseReader {
  public:
    UnboundClauseReader(const UnboundClause& clause, bool uses_tls, const FileTest& is_there,
                        ResolverModel& out)
        : clause_(clause), is_there_(is_there), out_(out), uses_tls_(uses_tls) {}

    void read() {
        const std::string& kind = clause_.name;
        if (kind == "remote-control") {
            if (!clause_.options.empty()) out_.silent.emplace_back("remote-control");
            return;
        }
        if (kind == "python" || kind == "dynlib")
            return leave_out("programs in unbound are not supported");
        if (kind == "view") return leave_out("write rules with 'client_ip' in the sequence");
        if (kind == "ipset") return leave_out("write plugins of type ipset in the sequence");
        if (kind == "dnstap") return leave_out("a query_recorder keeps queries and answers");
        if (!kind.ends_with("-zone") && kind != "rpz") return leave_out("it is not supported");
        const auto name = zone_name(value("name"));
        if (!name) return leave_out("it has no 'name' that is a domain");
        name_ = *name;
        if (kind == "stub-zone" || kind == "forward-zone") return upstream_zone();
        copied_zone();
    }

  private:
    void leave_out(std::string_view why) {
        out_.notes.push_back({clause_.place, "the clause " + in_quotes(clause_.name) +
                                                 " is not imported: " + std::string(why)});
    }
    [[nodiscard]] const UnboundOption* find(std::string_view name) const {
        const UnboundOption* found = nullptr;
        for (const UnboundOption& option : clause_.options) {
            if (option.name == name) found = &option;
        }
        return found;
    }
    [[nodiscard]] std::string value(std::string_view name) const {
        const UnboundOption* const option = find(name);
        return option == nullptr ? "" : option->args.front();
    }
    [[nodiscard]] bool is_yes(std::string_view name) const { return value(name) == "yes"; }

    // ---- stub-zone, forward-zone

    void upstream_zone() {
        allow_special();
        const bool is_stub = clause_.name == "stub-zone";
        const std::string kind = is_stub ? "stub-" : "forward-";
        const bool is_tls =
            uses_tls_ || is_yes(kind + "tls-upstream") || is_yes(kind + "ssl-upstream");
        if (!is_stub && (is_tls || name_ == ".")) return route(is_tls);
        if (is_tls || !has_plain_servers(kind)) return engine_clause();
        auto& servers = (is_stub ? out_.stubs : out_.forwards)[name_];
        for (const UnboundOption& option : clause_.options) {
            if (option.name != kind + "addr") continue;
            const auto server = read_server_text(option.args.front());
            if (!server) {
                leave_out_unbound(out_, option, "it is not the address of a server");
            } else {
                servers.push_back(address_text(*server));
            }
        }
        if (!servers.empty()) return;
        (is_stub ? out_.stubs : out_.forwards).erase(name_);
        leave_out("it has no server");
    }

    static std::string address_text(const ServerText& server) {
        return server.port == 0 || server.port == 53 ? server.address
                                                     : with_port(server.address, server.port);
    }

    // Whether `stubs` and `forwards` can express it.
    [[nodiscard]] bool has_plain_servers(const std::string& kind) const {
        return std::ranges::all_of(clause_.options, [&](const UnboundOption& option) {
            const bool is_set = option.name == "name" || option.name == kind + "addr";
            return is_set || (option.args.front() == "no" && option.name != kind + "host");
        });
    }

    void engine_clause() {
        out_.extra_clauses.push_back(clause_.name + ":");
        for (const UnboundOption& option : clause_.options)
            out_.extra_clauses.push_back(unbound_line(option));
        out_.extra_zones.push_back(name_);
    }

    // The daemon answers some names itself, unless `resolve_special` names them.
    void allow_special() {
        const std::string special = special_name(name_);
        auto& all = out_.resolve_special;
        if (special.empty() || std::ranges::find(all, special) != all.end()) return;
        all.push_back(special);
        if (special != name_)
            out_.notes.push_back(
                {clause_.place,
                 "all names under " + special + " are resolved, because of the zone " + name_});
    }

    // By a forward: over TLS, or for every name.
    void route(bool is_tls) {
        Route out;
        out.zone = name_ == "." ? "" : name_;
        out.is_first = is_yes("forward-first");
        for (const UnboundOption& option : clause_.options) {
            if (option.name == "forward-addr") server(option, is_tls, out.forward);
            if (option.name == "forward-host") host(option, is_tls, out.forward);
            if (option.name == "forward-tcp-upstream" && option.args.front() == "yes" && !is_tls)
                over_tcp_ = true;
            if (option.name == "forward-no-cache" && option.args.front() == "yes")
                leave_out_unbound(out_, option, "its answers are cached");
        }
        if (over_tcp_) {
            for (Upstream& upstream : out.forward.upstreams)
                upstream.addr.insert(0, "tcp://");
        }
        if (out.forward.upstreams.empty()) return leave_out("it has no server");
        out.forward.notes.push_back(
            {clause_.place,
             std::string("answers of this forward are not validated here: set 'trust_ad' of "
                         "upstreams that validate") +
                 (is_tls ? "" : ", or write 'forwards' of a recursion instead")});
        std::erase_if(out_.routes, [&](const Route& other) { return other.zone == out.zone; });
        out_.routes.push_back(std::move(out));
    }

    void server(const UnboundOption& option, bool is_tls, Forward& to) {
        const auto server = read_server_text(option.args.front());
        if (!server) return leave_out_unbound(out_, option, "it is not the address of a server");
        if (is_tls) {
            to.upstreams.push_back(tls_upstream(*server, option.place));
            return;
        }
        Upstream upstream;
        upstream.addr = address_text(*server);
        to.upstreams.push_back(std::move(upstream));
    }

    void host(const UnboundOption& option, bool is_tls, Forward& to) {
        std::string name = option.args.front();
        name = name.substr(0, name.find('#'));
        const auto at = name.find('@');
        const auto port = at == std::string::npos
                              ? std::optional<std::uint64_t>(is_tls ? 853 : 53)
                              : parse_number(std::string_view(name).substr(at + 1), 65'535);
        name = name.substr(0, at);
        while (name.ends_with('.'))
            name.pop_back();
        if (name.empty() || !is_host_name(name) || port.value_or(0) == 0)
            return leave_out_unbound(out_, option, "it is not the name of a server");
        Upstream upstream;
        upstream.addr = (is_tls ? "tls://" : "udp://") + with_port(name, *port);
        to.upstreams.push_back(std::move(upstream));
    }

    // ---- auth-zone, rpz

    void copied_zone() {
        const bool is_policy = clause_.name == "rpz";
        if (!is_policy && name_ == ".") {
            out_.keeps_root_zone = true;
            if (find("for-upstream") != nullptr && !is_yes("for-upstream"))
                out_.notes.push_back({clause_.place,
                                      "the copy of the root zone is used for "
                                      "recursion, and not served to clients"});
            return;
        }
        CopiedZone out;
        out.name = name_;
        out.is_policy = is_policy;
        out.logs = is_yes("rpz-log");
        for (const UnboundOption& option : clause_.options) {
            if (option.name == "primary" || option.name == "master") primary(option, out);
            if (option.name == "rpz-action-override" || option.name == "rpz-cname-override" ||
                option.name == "tags")
                leave_out_unbound(out_, option, "the zone's own actions are applied, for all");
        }
        if (!is_policy && find("for-downstream") != nullptr && !is_yes("for-downstream"))
            out_.notes.push_back(
                {clause_.place, "the zone " + name_ + " is also served to clients"});
        if (out.primaries.empty() && !by_file(out)) return;
        out_.copies.push_back(std::move(out));
    }

    void primary(const UnboundOption& option, CopiedZone& to) {
        const auto server = read_server_text(option.args.front());
        if (!server)
            return leave_out_unbound(out_, option, "expected the address of a primary server");
        if (server->name.empty()) return to.primaries.push_back(address_text(*server));
        constexpr std::uint64_t kTls = 853;
        to.primaries.push_back("tls://" + (server->port == 0 || server->port == kTls
                                               ? server->address
                                               : with_port(server->address, server->port)));
        leave_out_unbound(out_, option,
                          "its certificate is checked for the address: write 'tls: { name: " +
                              server->name + " }'");
    }

    // False: a note was written.
    bool by_file(CopiedZone& to) {
        const std::string url = value("url"), file = value("zonefile");
        if (to.is_policy && (url.starts_with("http://") || url.starts_with("https://"))) {
            to.source = url;
            return true;
        }
        if (to.is_policy && file.starts_with('/') && is_there_(file)) {
            to.source = file;
            return true;
        }
        if (!to.is_policy && !file.empty()) {
            leave_out("name its file " + in_quotes(file) +
                      " in 'files' of a plugin of type arbitrary, with 'origin: " + name_ + "'");
        } else {
            leave_out(file.empty() ? "it has no primary server"
                                   : "its file " + in_quotes(file) +
                                         " is not on this machine, or has no absolute path");
        }
        return false;
    }

    const UnboundClause& clause_;
    const FileTest& is_there_;
    ResolverModel& out_;
    std::string name_;
    bool uses_tls_ = false, over_tcp_ = false;
};

}  // namespace

void read_unbound_clause(const UnboundClause& clause, bool uses_tls, const FileTest& is_there,
                         ResolverModel& out) {
    UnboundClauseReader(clause, uses_tls, is_there, out).read();
}

}  // namespace steer::importing
