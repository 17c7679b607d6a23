#include "tools/import/policy_import.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "matchers/predecessors.h"
#include "tools/import/policy_tree.h"
#include "tools/import/policy_unknown.h"
#include "tools/import/sheet.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

// ---- what has no form here

// A SOCKS5 proxy is asked for TCP connections only.
struct OverQuic {
    std::string_view scheme, instead;
};
constexpr std::array kOverQuic{OverQuic{"quic://", "tls://"}, OverQuic{"doq://", "tls://"},
                               OverQuic{"h3://", "https://"}};

bool is_off(const Tree& value) {
    return value.is_empty() || value.text == "0" || lowered(value.text) == "false";
}

class PolicyImport {
  public:
    PolicyImport(Tree top, std::string_view source, PolicySource of)
        : top_(std::move(top)), source_(source), of_(of), unknown_(top_.find("plugins")) {}

    Imported run() {
        read_outbound();
        write();
        return {sheet_ + rest_, std::move(notes_), {}};
    }

  private:
    void note(int line, std::string text) {
        pending_.push_back({line_place(line), std::move(text)});
    }

    [[nodiscard]] PolicyUnknown::NoteTo note_to() {
        return [this](int line, std::string text) { note(line, std::move(text)); };
    }

    // The notes since the last call, as comments, and for standard error.
    std::string take_notes(std::size_t indent) {
        Sheet sheet;
        for (const Note& one : pending_)
            sheet.note(one);
        std::string out;
        for (const auto& line : split_all(trimmed(sheet.text()), '\n')) {
            if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
        }
        notes_.insert(notes_.end(), pending_.begin(), pending_.end());
        pending_.clear();
        return out;
    }

    // ---- sections

    void read_outbound() {
        const Tree* const network = top_.find("network");
        const Tree* const outbound = network == nullptr ? nullptr : network->find("outbound");
        if (outbound == nullptr) return;
        standard_ = outbound->get("default");
        const Tree* const profiles = outbound->find("profiles");
        if (profiles == nullptr) return;
        for (const auto& [name, profile] : profiles->entries) {
            Profile made;
            if (const Tree* const proxy = profile.find("proxy")) made.socks5 = proxy->get("socks5");
            const Tree* const resolver = profile.find("resolver");
            const Tree* const servers =
                resolver == nullptr ? nullptr : resolver->find("nameservers");
            if (servers != nullptr) {
                for (const Tree& server : servers->items) {
                    std::string addr(server.is_text() ? server.text : server.get("addr"));
                    if (addr.starts_with("udp://")) addr.erase(0, 6);
                    const auto colon = addr.rfind(':');
                    const std::string host = is_v6(addr) ? addr : addr.substr(0, colon);
                    if (!is_v4(host) && !is_v6(host) && !addr.starts_with("[")) continue;
                    made.bootstrap = addr;
                    break;
                }
            }
            profiles_.emplace_back(name, made);
        }
    }

    void log_section(const Tree& log) {
        Tree kept;
        kept.kind = Tree::Kind::map;
        for (const auto& [key, value] : log.entries) {
            if (value.is_empty()) continue;
            if (key == "production") {
                if (!is_off(value))
                    note(value.line, "log.production is not imported: log lines have a fixed form");
            } else {
                kept.set(key, value);
            }
        }
        unknown_.clean_args(kept, "log", "'log'", note_to());
        section("log", kept);
    }

    void section(std::string_view name, const Tree& value) {
        rest_ += take_notes(0);
        if (value.is_empty()) return;
        Tree outer;
        outer.set(name, value);
        rest_ += write_tree(outer, 0, placeholders()) + "\n";
    }

    void api_section(const Tree& api) {
        const Tree* const http = api.find("http");
        Tree control;
        control.kind = Tree::Kind::map;
        if (http != nullptr && !http->is_empty()) {
            std::string listen(http->is_text() ? http->text : http->get("listen"));
            std::string protection;
            if (http->find("auth") != nullptr) protection = "a password";
            if (const Tree* const ssl = http->find("ssl"); ssl != nullptr && protection.empty())
                protection = "TLS";
            if (!protection.empty()) {
                const auto port = listen.substr(listen.rfind(':') + 1);
                if (!listen.starts_with("127.")) listen = "127.0.0.1:" + port;
                note(http->line, "api.http is protected by " + protection +
                                     ", which is not supported: metrics and the status page "
                                     "listen on 127.0.0.1 only");
            } else {
                note(http->line,
                     "api.http becomes control.http: metrics and the status page have "
                     "other paths");
            }
            for (const auto& [key, value] : http->entries) {
                if (key != "listen" && key != "auth" && key != "ssl")
                    note(value.line, "api.http." + key + " is not imported");
            }
            if (!listen.empty()) control.set("http", Tree::of(listen));
        }
        for (const auto& [key, value] : api.entries) {
            if (key != "http") note(value.line, "api." + key + " is not imported");
        }
        section("control", control);
    }

    void other_section(const std::string& name, const Tree& value) {
        if (name == "network") {
            if (!profiles_.empty())
                note(value.line, "network.outbound becomes 'socks5' and 'bootstrap' of upstreams");
            network_section(value);
        } else if (name == "runtime") {
            note(value.line,
                 "runtime is not imported: write dataplane.workers for the number of worker cores");
        } else {
            note(value.line, "the section " + in_quotes(name) + " is not imported");
        }
        rest_ += take_notes(0);
    }

    // What read_outbound() does not use.
    void network_section(const Tree& network) {
        const auto others = [this](const std::string& path, const Tree* map,
                                   std::initializer_list<std::string_view> used) {
            if (map == nullptr) return;
            for (const auto& [key, value] : map->entries) {
                if (std::ranges::find(used, key) != used.end() || value.is_empty()) continue;
                std::string text = path;
                text.append(".").append(key).append(" is not imported");
                note(value.line, text);
            }
        };
        others("network", &network, {"outbound"});
        const Tree* const outbound = network.find("outbound");
        others("network.outbound", outbound, {"default", "profiles"});
        const Tree* const profiles = outbound == nullptr ? nullptr : outbound->find("profiles");
        if (profiles == nullptr) return;
        for (const auto& [name, profile] : profiles->entries) {
            const std::string path = "network.outbound.profiles." + name;
            others(path, &profile, {"resolver", "proxy"});
            others(path + ".resolver", profile.find("resolver"), {"nameservers"});
            others(path + ".proxy", profile.find("proxy"), {"socks5"});
        }
    }

    // ---- plugins

    // Empty and default values out; keys without an effect out, with a note.
    void clean(Tree& args, std::string_view type, const std::string& owner) {
        if (!args.is_map()) return;
        std::vector<Tree::Entry> kept;
        for (auto& [key, value] : args.entries) {
            const auto* const row = predecessors::find_key(type, key, predecessors::kNone);
            const bool secret = key.starts_with("password") || key == "username";
            const bool is_default =
                value.text == "0" &&
                predecessors::find_key(type, key, predecessors::kZero) != nullptr;
            if (row != nullptr) {
                const std::string why(predecessors::text_of_import(*row));
                if (!is_off(value))
                    note(value.line, std::string(key).append(" of ").append(owner) +
                                         " is not imported: " + why);
            } else if (secret || !(value.kind == Tree::Kind::nothing ||
                                   (value.is_text() && value.text.empty()) || is_default)) {
                kept.emplace_back(key, std::move(value));
            }
        }
        args.entries = std::move(kept);
    }

    void upstream(Tree& upstream, const Tree& forward, const std::string& owner) {
        const bool is_behind = !forward.get("socks5").empty();
        if (upstream.is_text() && is_behind) over_tcp(upstream, owner);
        if (!upstream.is_map()) return;
        const std::string profile(upstream.find("outbound") == nullptr ? standard_
                                                                       : upstream.get("outbound"));
        upstream.remove("outbound");
        clean(upstream, "upstream", owner);
        const auto at =
            std::ranges::find_if(profiles_, [&](const auto& p) { return p.first == profile; });
        if (at != profiles_.end()) {
            if (!at->second.socks5.empty() && upstream.find("socks5") == nullptr)
                upstream.set("socks5", Tree::of(at->second.socks5));
            if (!at->second.bootstrap.empty() && upstream.find("bootstrap") == nullptr &&
                upstream.find("dial_addr") == nullptr)
                upstream.set("bootstrap", Tree::of(at->second.bootstrap));
        }
        if (!is_behind && upstream.get("socks5").empty()) return;
        if (Tree* const addr = upstream.find("addr"); addr != nullptr && addr->is_text())
            over_tcp(*addr, owner);
        if (const Tree* const http3 = upstream.find("enable_http3"); http3 != nullptr) {
            if (!is_off(*http3))
                note(http3->line,
                     "'enable_http3' of " + owner + " is left out: QUIC does not pass its proxy");
            upstream.remove("enable_http3");
        }
    }

    // The address of an upstream behind a proxy.
    void over_tcp(Tree& addr, const std::string& owner) {
        for (const auto& [scheme, instead] : kOverQuic) {
            if (!lowered(addr.text).starts_with(scheme)) continue;
            note(addr.line, in_quotes(addr.text) + " of " + owner + " becomes " +
                                std::string(instead) + ": QUIC does not pass its proxy");
            addr.text = std::string(instead) + addr.text.substr(scheme.size());
        }
    }

    // Whether this rule only uses what is not imported.
    bool is_left_out(const Tree& rule, const std::string& owner) {
        const Tree* const exec = rule.find("exec");
        if (exec == nullptr) {
            note(rule.line, "a rule of " + owner + " without 'exec' is not imported");
            return true;
        }
        if (!exec->is_text()) {
            note(rule.line, "a rule of " + owner + " is not imported: its 'exec' is no text");
            return true;
        }
        const std::string words(trimmed(exec->text));
        const std::string name = "the rule " + in_quotes(words) + " of " + owner;
        std::string why = unknown_.why_no_exec(words);
        if (why.empty()) why = unknown_.why_no_matches(rule);
        if (!why.empty()) {
            note(rule.line, name + " is not imported: " + why);
            return true;
        }
        if (predecessors::find_type(words.substr(0, words.find(' '))) != nullptr) {
            note(rule.line, name + " is not imported");
            return true;
        }
        return false;
    }

    void sequence(Tree& args, const std::string& owner) {
        if (!args.is_list()) return;
        std::vector<Tree> kept;
        for (Tree& rule : args.items) {
            if (rule.is_map() && is_left_out(rule, owner)) continue;
            std::erase_if(rule.entries, [&](const Tree::Entry& entry) {
                const bool is_known = entry.first == "matches" || entry.first == "exec";
                if (!is_known)
                    note(entry.second.line, in_quotes(entry.first) + " in a rule of " + owner +
                                                " is not imported: there is no such setting");
                return !is_known;
            });
            kept.push_back(std::move(rule));
        }
        if (kept.empty()) {
            Tree rule;
            rule.set("exec", Tree::of("return"));
            kept.push_back(rule);
        }
        args.items = std::move(kept);
    }

    void cron(Tree& args, const std::string& owner) {
        Tree* const jobs = args.find("jobs");
        if (jobs == nullptr) return;
        for (Tree& job : jobs->items) {
            Tree* const executors = job.find("executors");
            if (executors == nullptr) continue;
            std::erase_if(executors->items, [&](const Tree& item) {
                const std::string word = item.text.substr(0, item.text.find(' '));
                const bool gone = !unknown_.why_no_exec(item.text).empty() ||
                                  predecessors::find_type(word) != nullptr;
                if (gone)
                    note(item.line, in_quotes(item.text) + " of " + owner + " is not imported");
                return gone;
            });
        }
        std::erase_if(jobs->items, [](const Tree& job) {
            const Tree* const executors = job.find("executors");
            return executors != nullptr && executors->items.empty();
        });
    }

    // False: the plugin is not imported.
    bool plugin(Tree& plugin) {
        if (!plugin.is_map()) {
            note(plugin.line, "a plugin that is no map is not imported");
            return false;
        }
        const std::string type(plugin.get("type")), tag(plugin.get("tag"));
        const std::string owner = type + (tag.empty() ? "" : " " + in_quotes(tag));
        if (const auto* const row = predecessors::find_type(type)) {
            note(plugin.line,
                 owner + " is not imported: " + std::string(predecessors::text_of_import(*row)));
            return false;
        }
        if (const std::string why = unknown_.why_no_plugin(plugin); !why.empty()) {
            note(plugin.line,
                 (type.empty() ? "a plugin" + owner : owner) + " is not imported: " + why);
            return false;
        }
        std::erase_if(plugin.entries, [&](const Tree::Entry& entry) {
            const bool is_known =
                entry.first == "tag" || entry.first == "type" || entry.first == "args";
            if (!is_known)
                note(entry.second.line, in_quotes(entry.first) + " of " + owner +
                                            " is not imported: there is no such setting");
            return !is_known;
        });
        if (tag.empty()) plugin.remove("tag");
        Tree* args = plugin.find("args");
        if (args != nullptr && args->kind == Tree::Kind::nothing) {
            plugin.remove("args");
            args = nullptr;
        }
        if (args == nullptr) return true;
        clean(*args, type, owner);
        if (type == "sequence") sequence(*args, owner);
        if (type == "cron") {
            cron(*args, owner);
            const Tree* const jobs = args->find("jobs");
            if (jobs != nullptr && jobs->items.empty()) return false;
        }
        if (Tree* const upstreams = args->find("upstreams"); upstreams != nullptr) {
            for (Tree& one : upstreams->items)
                upstream(one, *args, owner);
        }
        if (Tree* const entries = args->find("entries");
            type == "http_server" && entries != nullptr) {
            for (Tree& one : entries->items)
                clean(one, "entry", owner);
        }
        unknown_.clean_args(*args, type, owner, note_to());
        if ((type == "udp_server" || type == "tcp_server") && args->find("listen") == nullptr)
            args->set("listen", Tree::of("127.0.0.1:53"));
        if (type == "ros_address_list" || type == "ros_route")
            rows_of(plugin.line, *args, type, owner);
        return true;
    }

    void rows_of(int line, Tree& args, std::string_view type, const std::string& owner) {
        if (Tree* const tls = args.find("tls"); tls != nullptr && tls->is_map()) {
            clean(*tls, "tls", owner);
            unknown_.clean(*tls, "routers.tls", "'tls' of " + owner, note_to());
            if (tls->entries.empty()) args.set("tls", Tree::of("true"));
        }
        const bool is_route = type == "ros_route";
        if (args.find("comment_prefix") == nullptr)
            args.set("comment_prefix", Tree::of(is_route ? "oxi" : "fdns"));
        if (args.find("cleanup_on_shutdown") == nullptr) {
            note(line, owner +
                           (is_route ? " keeps its routes after a shutdown, unlike OxiDNS; "
                                     : " keeps its rows after a shutdown until they expire, unlike "
                                       "ForgeDNS; ") +
                           "write 'cleanup_on_shutdown: true' to remove them");
        }
    }

    // ---- all of it

    [[nodiscard]] bool placeholders() const { return of_ == PolicySource::forgedns; }

    void write() {
        const std::string kind = of_ == PolicySource::forgedns ? "forgedns" : "mosdns";
        Sheet head;
        head.comment("Made by 'steerctl import " + kind + "' from " + std::string(source_) +
                     ". Check it with 'steerdnsd --check FILE'. Notes name settings that are not "
                     "imported or that differ.");
        sheet_ = head.text();
        if (of_ == PolicySource::mosdns) {
            pending_.push_back({"",
                                "a query that no rule answers gets NOERROR without records; "
                                "mosdns answers REFUSED"});
        }
        sheet_ += take_notes(0) + "\n";
        const Tree* include = nullptr;
        Tree* plugins = nullptr;
        for (auto& [name, value] : top_.entries) {
            if (name == "plugins") {
                plugins = &value;
            } else if (name == "include") {
                include = &value;
            } else if (name == "log") {
                log_section(value);
            } else if (name == "api") {
                api_section(value);
            } else if (!value.is_empty()) {
                other_section(name, value);
            }
        }
        if (include != nullptr && !include->is_empty()) {
            note(include->line, "included files are not imported; import each one separately");
            section("include", *include);
        }
        rest_ += "plugins:\n";
        if (plugins == nullptr || !plugins->is_list()) return;
        for (Tree& one : plugins->items) {
            const bool stays = plugin(one);
            rest_ += take_notes(2);
            if (!stays) continue;
            Tree list;
            list.kind = Tree::Kind::list;
            list.items.push_back(std::move(one));
            rest_ += write_tree(list, 2, placeholders());
        }
    }

    struct Profile {
        std::string socks5, bootstrap;
    };

    Tree top_;
    std::string_view source_;
    PolicySource of_;
    std::string sheet_, rest_, standard_;
    std::vector<std::pair<std::string, Profile>> profiles_;
    PolicyUnknown unknown_;
    std::vector<Note> pending_, notes_;
};

std::optional<Failure> find_failure(const Tree& top) {
    if (!top.is_map())
        return Failure{top.line, "is not a configuration: expected a map with 'plugins'"};
    for (const std::string_view key : predecessors::kSectionsOfV4) {
        if (const Tree* const value = top.find(key))
            return Failure{value->line,
                           "has the section '" + std::string(key) +
                               "' of mosdns v4 or mosdns-x: convert it to mosdns v5 first"};
    }
    const Tree* const plugins = top.find("plugins");
    if (plugins == nullptr || !plugins->is_list())
        return Failure{top.line, "has no 'plugins': expected a list of plugins"};
    return std::nullopt;
}

}  // namespace

Imported import_policy(std::string_view yaml, std::string_view source, PolicySource of) {
    auto read = read_tree(yaml);
    if (const auto* const failure = std::get_if<Failure>(&read)) return {{}, {}, *failure};
    Tree& top = std::get<Tree>(read);
    if (auto failure = find_failure(top)) return {{}, {}, std::move(failure)};
    return PolicyImport(std::move(top), source, of).run();
}

}  // namespace steer::importing
