#include "tools/import/corefile_servers.h"

#include <algorithm>
#include <array>

#include "tools/import/corefile_record.h"
#include "tools/import/forward.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::size_t kMaxEntries = 32;  // that our configuration takes

struct ServerScheme {
    std::string_view name;
    CoreTransport transport;
    std::string_view port;
};
constexpr std::array<ServerScheme, 3> kServerSchemes{{{"dns", CoreTransport::dns, "53"},
                                                      {"tls", CoreTransport::tls, "853"},
                                                      {"https", CoreTransport::https, "443"}}};

class ServersReader {
  public:
    explicit ServersReader(const Corefile& from) : from_(from) {}

    CoreServers read() {
        for (block_ = 0; block_ < from_.blocks.size(); ++block_) {
            const std::vector<std::string> addresses = addresses_of(from_.blocks[block_]);
            for (const std::string& key : from_.blocks[block_].keys)
                read_key(key, addresses);
            uses_of_tls(from_.blocks[block_]);
        }
        for (CoreServer& server : out_.all)
            std::ranges::stable_sort(server.zones, [](const CoreZone& a, const CoreZone& b) {
                return label_count(a.name) > label_count(b.name);
            });
        std::stable_partition(out_.all.begin(), out_.all.end(), [](const CoreServer& server) {
            return server.transport == CoreTransport::dns && server.port == 53;
        });
        number_entries();
        return std::move(out_);
    }

  private:
    void note(int line, const std::string& text) { out_.notes.push_back({line_place(line), text}); }

    // The addresses in `bind`; one empty text: all addresses.
    std::vector<std::string> addresses_of(const ServerBlock& block) {
        std::vector<std::string> out;
        for (const Directive& d : block.body) {
            if (d.name != "bind") continue;
            for (const Directive& option : d.body)
                note(option.line, in_quotes(option.name) +
                                      " of bind is not imported: this setting is not supported");
            for (const std::string& address : d.args) {
                if (!is_v4(address) && !is_v6(address))
                    note(d.line, "bind " + in_quotes(address) +
                                     " is not imported: name interfaces in 'ports' of 'dataplane'");
                else if (std::ranges::find(out, address) == out.end())
                    out.push_back(address);
            }
        }
        if (out.empty()) out.emplace_back();
        return out;
    }

    void read_key(std::string_view key, const std::vector<std::string>& addresses) {
        const auto leave_out = [&](const std::string& why) {
            note(from_.blocks[block_].line,
                 "the zone " + in_quotes(key) + " is not imported: " + why);
        };
        std::string_view rest = key;
        const ServerScheme* scheme = kServerSchemes.data();
        if (const auto end = rest.find("://"); end != std::string_view::npos) {
            scheme = std::ranges::find(kServerSchemes, lowered(rest.substr(0, end)),
                                       &ServerScheme::name);
            if (scheme == kServerSchemes.end())
                return leave_out("its scheme is not supported; write dns://, tls:// or https://");
            rest.remove_prefix(end + 3);
        }
        std::string_view digits = scheme->port;
        if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
            digits = rest.substr(colon + 1);
            rest = rest.substr(0, colon);
        }
        const std::uint64_t port = parse_number(digits, 65'535).value_or(0);
        if (port == 0) return leave_out("its port is not within 1..65535");
        const std::string name = rest == "." || rest.empty() ? "" : core_zone(rest);
        if (!name.empty()) {
            if (const std::string why = name_error(name); !why.empty())
                return leave_out("its name " + why);
        }
        for (const std::string& address : addresses) {
            if (CoreServer* const server = server_at(scheme->transport, address, port))
                add_zone(*server, name);
            else
                leave_out("port " + std::to_string(port) + " already has another scheme");
        }
    }

    // nullptr: the port has a server with another transport.
    CoreServer* server_at(CoreTransport transport, const std::string& address, std::uint64_t port) {
        for (CoreServer& server : out_.all) {
            if (server.address == address && server.port == port)
                return server.transport == transport ? &server : nullptr;
        }
        CoreServer& fresh = out_.all.emplace_back();
        fresh.transport = transport;
        fresh.address = address;
        fresh.port = port;
        return &fresh;
    }

    void add_zone(CoreServer& server, const std::string& name) {
        const int line = from_.blocks[block_].line;
        if (std::ranges::find(server.zones, name, &CoreZone::name) != server.zones.end())
            return note(line, "the zone " + in_quotes(name.empty() ? "." : name) +
                                  " is not imported: another block serves it at port " +
                                  std::to_string(server.port));
        server.zones.push_back({name, block_});
    }

    // tls CERT KEY [CA] { client_auth HOW }, of the servers that the block is at.
    void uses_of_tls(const ServerBlock& block) {
        for (const Directive& d : block.body) {
            if (d.name != "tls") continue;
            if (d.args.size() < 2 || d.args.size() > 3) {
                note(d.line, "'tls' is not imported: expected CERT KEY, or CERT KEY CA");
                continue;
            }
            const std::string how = client_auth(d);
            bool is_used = false;
            for (CoreServer& server : out_.all) {
                const bool is_at =
                    std::ranges::find(server.zones, block_, &CoreZone::block) != server.zones.end();
                if (server.transport == CoreTransport::dns || !is_at) continue;
                is_used = true;
                take_certificate(server, d, how);
            }
            if (!is_used)
                note(d.line,
                     "'tls' is not imported: no zone of this block uses tls:// or https://");
        }
    }

    std::string client_auth(const Directive& tls) {
        std::string how = "nocert";
        for (const Directive& d : tls.body) {
            const std::string word = d.args.empty() ? "" : d.args.front();
            const bool has_ca = tls.args.size() == 3;
            if (d.name == "client_auth" && (word == "nocert" || has_ca)) {
                how = word;
                if (word == "request" || word == "require")
                    note(d.line, in_quotes("client_auth " + word) +
                                     " is not imported: client certificates are either verified or "
                                     "not requested");
            } else {
                note(d.line, in_quotes(d.name + " " + word) + " of tls is not imported: " +
                                 (d.name == "client_auth" ? "'tls' has no CA"
                                                          : "this setting is not supported"));
            }
        }
        return how;
    }

    void take_certificate(CoreServer& server, const Directive& d, const std::string& how) {
        if (!server.cert.empty()) {
            if (server.cert != d.args[0] || server.key != d.args[1])
                note(d.line, "'tls' is not imported: another block at port " +
                                 std::to_string(server.port) + " already has a certificate");
            return;
        }
        server.cert = d.args[0];
        server.key = d.args[1];
        server.requires_clients = how == "require_and_verify";
        if (server.requires_clients || how == "verify_if_given") server.client_ca = d.args[2];
    }

    // Servers with the same zones have one entry.
    void number_entries() {
        std::erase_if(out_.all, [](const CoreServer& server) { return server.zones.empty(); });
        std::erase_if(out_.all, [&](CoreServer& server) {
            const auto same = std::ranges::find(out_.entries, server.zones);
            server.entry = static_cast<std::size_t>(same - out_.entries.begin());
            if (same != out_.entries.end()) return false;
            if (out_.entries.size() == kMaxEntries) {
                out_.notes.push_back(
                    {"", "port " + std::to_string(server.port) +
                             " is not imported: at most 32 different sets of zones are "
                             "supported"});
                return true;
            }
            out_.entries.push_back(server.zones);
            return false;
        });
    }

    const Corefile& from_;
    std::size_t block_ = 0;
    CoreServers out_;
};

std::string listen_of(const CoreServer& server) {
    return server.address.empty() ? ":" + std::to_string(server.port)
                                  : with_port(server.address, server.port);
}

}  // namespace

bool has_certificate(const CoreServer& server, const FileTest& is_there) {
    const auto good = [&](const std::string& path) {
        return path.starts_with('/') && is_there(path);
    };
    return good(server.cert) && good(server.key) &&
           (server.client_ca.empty() || good(server.client_ca));
}

CoreServers read_core_servers(const Corefile& from) {
    return ServersReader(from).read();
}

void write_core_server(Sheet& sheet, const CoreServer& server, const std::string& entry,
                       unsigned number, const FileTest& is_there) {
    const std::string listen = listen_of(server);
    if (server.transport == CoreTransport::dns) return write_servers(sheet, listen, entry, number);
    const bool is_http = server.transport == CoreTransport::https;
    Flow args;
    if (is_http) {
        Flow path;
        path.add("path", "/dns-query").add("exec", entry);
        args.add_yaml("entries", "[" + path.text() + "]");
    } else {
        args.add("entry", entry);
    }
    args.add("listen", listen);
    args.add("cert", server.cert.empty() ? "CERT.pem" : server.cert);
    args.add("key", server.key.empty() ? "KEY.pem" : server.key);
    if (!server.client_ca.empty()) args.add("client_ca", server.client_ca);
    if (server.requires_clients) args.add_yaml("require_client_cert", "true");
    Flow plugin;
    plugin.add("tag",
               (is_http ? "https" : "tls") + (number == 0 ? "" : "_" + std::to_string(number)));
    plugin.add("type", is_http ? "http_server" : "tcp_server").add_yaml("args", args.text());
    if (has_certificate(server, is_there)) return sheet.line("- " + plugin.text());
    sheet.note("", "the server at " + in_quotes(listen) +
                       (server.cert.empty()
                            ? " is not imported: its blocks have no 'tls CERT KEY'"
                            : " is not imported: the certificate " + in_quotes(server.cert) +
                                  ", its key or its CA is not a file on this machine, or has no "
                                  "absolute path") +
                       "; copy the files here, write their absolute paths, and remove the '#'");
    sheet.line("# - " + plugin.text());
}

}  // namespace steer::importing
