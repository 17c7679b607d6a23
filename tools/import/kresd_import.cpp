#include "tools/import/kresd_import.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

struct KresdReason {
    std::string_view name, why;  // an empty reason: nothing is needed here
};
constexpr auto kKresdModules = std::to_array<KresdReason>({
    {"policy", ""},
    {"view", ""},
    {"hints", ""},
    {"stats", ""},
    {"iterate", ""},
    {"validate", ""},
    {"cache", ""},
    {"priming", ""},
    {"edns_keepalive", ""},
    {"ta_update", ""},
    {"ta_sentinel", ""},
    {"ta_signal_query", ""},
    {"detect_time_skew", ""},
    {"detect_time_jump", ""},
    {"bogus_log", ""},
    {"workarounds", ""},
    {"refuse_nord", ""},
    {"nsid", ""},
    {"predict", "prefetch"},
    {"serve_stale", "stale"},
    {"rebinding", "rebind"},
    {"prefill", ""},
    {"dns64", "dns64"},
    {"http", "'http' of 'control' serves metrics and the page"},
    {"graphite", "'http' of 'control' serves metrics for Prometheus"},
    {"watchdog", "systemd supervises the process"},
    {"dnstap", "a query_recorder keeps queries and answers"},
    {"experimental_dot_auth", "it is not supported"},
    {"renumber", "write a rule with 'resp_ip' and 'black_hole'"},
    {"daf", "write rules in the sequence"},
});
// Statements that need nothing here.
constexpr std::array<std::string_view, 12> kKresdSilent{
    "user",        "verbose",     "log_level",
    "log_target",  "log_groups",  "worker.id",
    "mode",        "cache.clear", "trust_anchors.distrust",
    "net.bufsize", "reorder_RR",  "modules.unload"};

class KresdModelReader {
  public:
    explicit KresdModelReader(const FileTest& is_there) : is_there_(is_there) {}

    ResolverModel read(KresdFile file) {
        out_.notes = std::move(file.notes);
        for (const LuaStatement& statement : file.statements) {
            const KresdPlace place{statement, out_};
            place_ = &place;
            take(statement);
        }
        place_ = nullptr;
        finish();
        return std::move(out_);
    }

  private:
    void leave_out(std::string_view why) { place_->leave_out(why); }

    void take(const LuaStatement& statement) {
        const LuaValue& value = statement.value;
        const std::string& name = statement.target.empty() ? value.text : statement.target;
        if (name.starts_with("hints")) return read_kresd_hints(statement, *place_, is_there_);
        if (std::ranges::find(kKresdSilent, name) != kKresdSilent.end())
            return out_.silent.push_back(name);
        if (!statement.target.empty()) return assign(name, value);
        call(name, value);
    }

    void assign(const std::string& name, const LuaValue& value) {
        if (name == "modules" && value.is_table()) return modules(value);
        if (name == "cache.size" && value.is_number()) return cache_size(value.number);
        if (name == "net.ipv6" && value.is_name("false")) return out_.extra.push_back("do-ip6: no");
        if (name == "net.ipv4" && value.is_name("false")) {
            leave_out("the engine needs IPv4 on loopback; 'prefer-ip6' is set");
            return out_.extra.push_back("prefer-ip6: yes");
        }
        if (name == "net.ipv4" || name == "net.ipv6" || name == "cache.storage")
            return out_.silent.push_back(name);
        leave_out("it is not supported");
    }

    void call(const std::string& name, const LuaValue& value) {
        if (name == "net.listen") return listen(value);
        if (name == "net.tls") return certificate(value);
        if (name == "net.outgoing_v4" || name == "net.outgoing_v6") return outgoing(value);
        if (name == "cache.open" && !value.items.empty() && value.items[0].is_number())
            return cache_size(value.items[0].number);
        if (name == "cache.max_ttl") return ttl(value, "cache_max_ttl", 604'800);
        if (name == "cache.min_ttl") return ttl(value, "cache_min_ttl", 86'400);
        if (name == "modules.load" && value.items.size() == 1 && value.items[0].is_text())
            return module(value.items[0].text, nullptr);
        if (name == "policy.add" && value.items.size() == 2)
            return leave_out("rules for answers are not supported");
        if (name == "policy.add" && !value.items.empty())
            return read_kresd_policy(value.items[0], *place_, is_there_, decided_);
        if (name == "view:addr") return read_kresd_view(value, *place_);
        if (name.starts_with("trust_anchors.")) return anchors(name, value);
        if (name == "dns64.config") return dns64(value.items.empty() ? nullptr : &value.items[0]);
        if (name == "nsid.name" && value.items.size() == 1 && value.items[0].is_text() &&
            !value.items[0].text.empty()) {
            out_.nsid = value.items[0].text;
            return;
        }
        if (name == "prefill.config") return prefill(value);
        if (name == "predict.config") return;  // with the module
        if (name == "option") return option(value);
        leave_out("it is not supported");
    }

    // ---- servers

    void listen(const LuaValue& value) {
        std::uint64_t port = 0;
        std::string kind = "dns";
        if (value.items.size() >= 2 && value.items[1].is_number())
            port = whole(value.items[1].number, 65'535);
        const LuaValue& last = value.items.empty() ? value : value.items.back();
        if (const auto* const read = last.find("kind"); last.is_table() && read != nullptr)
            kind = read->text;
        CoreServer server;
        if (kind == "tls") {
            server.transport = CoreTransport::tls;
        } else if (kind == "doh2") {
            server.transport = CoreTransport::https;
        } else if (kind != "dns") {
            return leave_out("servers of kind " + in_quotes(kind) + " are not supported");
        }
        const std::uint64_t usual = kind == "tls" ? 853 : kind == "doh2" ? 443 : 53;
        server.port = port == 0 ? usual : port;
        std::vector<LuaValue> addresses;
        if (!value.items.empty()) addresses.push_back(value.items[0]);
        if (!addresses.empty() && addresses[0].is_table())
            addresses = std::vector<LuaValue>(value.items[0].items);
        bool is_any = false;
        for (const LuaValue& address : addresses) {
            if (!address.is_text() || (!is_v4(address.text) && !is_v6(address.text))) continue;
            is_any = true;
            server.address = address.text == "0.0.0.0" || address.text == "::" ? "" : address.text;
            add_server(server);
        }
        if (!is_any) leave_out("write its addresses, or name interfaces in 'ports' of 'dataplane'");
    }

    void add_server(const CoreServer& server) {
        const auto has_port = [&](const CoreServer& known) { return known.port == server.port; };
        const bool is_known = std::ranges::any_of(out_.servers, [&](const CoreServer& known) {
            return has_port(known) && (known.address.empty() || known.address == server.address);
        });
        if (is_known) return;
        if (server.address.empty()) std::erase_if(out_.servers, has_port);
        out_.servers.push_back(server);
    }

    void certificate(const LuaValue& value) {
        if (value.items.size() != 2 || !value.items[0].is_text() || !value.items[1].is_text())
            return leave_out("expected a certificate and a key");
        cert_ = value.items[0].text;
        key_ = value.items[1].text;
    }

    void outgoing(const LuaValue& value) {
        const bool is_address = value.items.size() == 1 && value.items[0].is_text() &&
                                (is_v4(value.items[0].text) || is_v6(value.items[0].text));
        if (!is_address) return leave_out("expected an address of this machine");
        out_.outgoing.push_back(value.items[0].text);
    }

    // ---- the cache

    static std::uint64_t whole(double number, std::uint64_t most) {
        if (!(number > 0)) return 0;
        return number >= static_cast<double>(most) ? most : static_cast<std::uint64_t>(number);
    }
    void cache_size(double bytes) {
        constexpr std::uint64_t kMost = std::uint64_t{64} << 30;
        out_.cache_bytes = whole(bytes, kMost);
    }
    void ttl(const LuaValue& value, std::string_view key, std::uint64_t most) {
        if (value.items.size() != 1 || !value.items[0].is_number())
            return leave_out("expected a number of seconds");
        const std::uint64_t seconds = whole(value.items[0].number, most);
        if (seconds > 0) set_cache(key, std::to_string(seconds) + "s");
    }
    void set_cache(std::string_view key, const std::string& text) {
        std::erase_if(out_.cache_keys, [&](const auto& entry) { return entry.first == key; });
        out_.cache_keys.emplace_back(key, text);
    }

    // ---- modules

    void modules(const LuaValue& table) {
        for (const LuaValue& item : table.items) {
            if (item.is_text()) module(item.text, nullptr);
        }
        for (const auto& [name, settings] : table.entries)
            module(name, &settings);
    }

    // "hints > iterate"
    void module(const std::string& text, const LuaValue* settings) {
        const auto words = split(text, ' ');
        const std::string name = words.empty() ? "" : words[0];
        const auto* const known = std::ranges::find(kKresdModules, name, &KresdReason::name);
        if (known == kKresdModules.end())
            return leave_out("the module " + in_quotes(name) + " is not supported");
        if (known->why.empty()) return;
        if (known->why == "prefetch") return set_cache("prefetch", "true");
        if (known->why == "stale") return set_cache("serve_stale", "1d");
        if (known->why == "rebind") {
            out_.blocks_rebinding = true;
            return;
        }
        if (known->why == "dns64") return dns64(settings);
        place_->note("the module " + in_quotes(name) +
                     " is not imported: " + std::string(known->why));
    }

    void dns64(const LuaValue* settings) {
        out_.dns64 = "64:ff9b::/96";
        if (settings == nullptr) return;
        const LuaValue* prefix = settings->is_table() ? settings->find("prefix") : settings;
        if (settings->find("exclude_subnets") != nullptr)
            place_->note("'exclude_subnets' is not imported: write 'exclude' of dns64");
        if (prefix == nullptr) return;
        const auto net = prefix->is_text() && is_v6(prefix->text) ? network_of(prefix->text + "/96")
                                                                  : std::nullopt;
        if (!net) return leave_out("expected the address of an IPv6 prefix of 96 bits");
        out_.dns64 = *net;
    }

    void prefill(const LuaValue& value) {
        const bool is_root = !value.items.empty() && value.items[0].find(".") != nullptr;
        if (!is_root) return leave_out("only the root zone is copied");
        out_.keeps_root_zone = true;
        place_->note("the root zone is copied by transfer, not from a URL");
    }

    void option(const LuaValue& value) {
        if (value.items.size() != 2 || !value.items[0].is_text())
            return leave_out("it is not supported");
        const bool is_on = value.items[1].is_name("true");
        if (value.items[0].text == "NO_MINIMIZE") {
            out_.qname_minimisation = !is_on;
        } else if (value.items[0].text == "NO_0X20") {
            if (is_on) out_.extra.emplace_back("use-caps-for-id: no");
        } else {
            leave_out("it is not supported");
        }
    }

    // ---- validation

    void anchors(const std::string& name, const LuaValue& value) {
        const LuaValue nothing;
        const LuaValue& first = value.items.empty() ? nothing : value.items[0];
        if (name == "trust_anchors.set_insecure" && first.is_table()) {
            for (const LuaValue& item : first.items) {
                const auto zone = zone_name(item.text);
                if (!zone || zone->find_first_of(" \"\\") != std::string::npos) {
                    place_->note("the name " + in_quotes(item.text) + " is not imported");
                } else {
                    out_.negative_trust_anchors.push_back(*zone);
                }
            }
            return;
        }
        if (name == "trust_anchors.remove" && first.is_text()) {
            if (first.text != ".") return leave_out("only the root's keys are named by default");
            removes_root_ = true;
            return;
        }
        if (name == "trust_anchors.add" && first.is_text()) return anchor(first.text);
        if (name == "trust_anchors.add_file" && first.is_text()) return anchor_file(first.text);
        leave_out("it is not supported");
    }

    void anchor(const std::string& text) {
        std::string record = text;
        std::ranges::replace(record, '\t', ' ');
        const std::string lower = matchers::lowered(record);
        const bool is_record =
            lower.find(" ds ") != std::string::npos || lower.find(" dnskey ") != std::string::npos;
        if (!is_record || record.find_first_of("\"\\\r\n") != std::string::npos)
            return leave_out("expected a DS or DNSKEY record");
        out_.trust_anchors.push_back(record);
    }

    // kresd follows the keys of a file, unless it is read-only; here only the root's are followed.
    void anchor_file(const std::string& file) {
        if (file.find("root") != std::string::npos) {
            names_root_ = true;
            return;
        }
        if (!file.starts_with('/') || file.find_first_of("\"\\\n\r") != std::string::npos ||
            !is_there_(file))
            return leave_out("the file is not on this machine, or has no absolute path");
        out_.trust_anchors.push_back(file);
    }

    void finish() {
        // The root's keys are there by default.
        out_.has_root_anchor = names_root_ || !removes_root_;
        if (!out_.has_root_anchor && out_.trust_anchors.empty()) out_.validate = "no";
        for (CoreServer& server : out_.servers) {
            server.cert = cert_;
            server.key = key_;
        }
        if (out_.servers.empty()) {
            for (const std::string address : {"127.0.0.1", "::1"}) {
                CoreServer server;
                server.address = address;
                out_.servers.push_back(std::move(server));
            }
        }
        std::ranges::stable_sort(out_.servers, {}, &CoreServer::transport);
        clients();
    }

    // Without a rule for it, a client is served.
    void clients() {
        if (out_.networks.empty()) {
            out_.notes.push_back({"",
                                  "kresd serves every client; here 'allow' of 'dataplane' "
                                  "selects them, by default private and local networks"});
            return;
        }
        out_.limits_clients = true;
        for (const std::string net : {"0.0.0.0/0", "::/0"}) {
            const bool is_known = std::ranges::any_of(
                out_.networks, [&](const auto& network) { return network.net == net; });
            if (!is_known) out_.networks.push_back({net, {}});
        }
        for (const std::string net : {"127.0.0.0/8", "::1/128"})
            out_.networks.push_back({net, {}});
    }

    const FileTest& is_there_;
    ResolverModel out_;
    const KresdPlace* place_ = nullptr;
    std::string cert_, key_;
    std::set<std::string> decided_;
    bool removes_root_ = false, names_root_ = false;
};

}  // namespace

void KresdPlace::note(std::string_view text) const {
    out.notes.push_back({line_place(statement.line), std::string(text)});
}

void KresdPlace::leave_out(std::string_view why) const {
    note(in_quotes(statement.text) + " is not imported: " + std::string(why));
}

Imported import_kresd(std::string_view text, std::string_view source, const FileTest& is_there) {
    KresdFile file = read_kresd(text);
    if (file.failure) return {{}, {}, std::move(file.failure)};
    return write_resolver(KresdModelReader(is_there).read(std::move(file)), "kresd", source,
                          is_there);
}

}  // namespace steer::importing
