#include "tools/import/corefile_import.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tools/import/corefile_local.h"
#include "tools/import/corefile_record.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

// What a plugin's name says that needs nothing here, or has no place.
enum class Known : std::uint8_t { read, silent, named };
struct PluginName {
    std::string_view name;
    Known known;
    std::string_view why;
};
constexpr std::array<PluginName, 22> kPlugins{{
    {"forward", Known::read, ""},
    {"cache", Known::read, ""},
    {"dns64", Known::read, ""},
    {"log", Known::read, ""},
    {"bind", Known::read, ""},
    {"reload", Known::read, ""},
    {"prometheus", Known::read, ""},
    {"errors", Known::silent, ""},
    {"loop", Known::silent, ""},
    {"health", Known::named, "steerctl status and the metrics (control.http) report health"},
    {"ready", Known::named, "steerctl status and the metrics (control.http) report health"},
    {"bufsize", Known::named,
     "UDP answers to clients and from upstreams are limited to 1232 bytes (RFC 9715)"},
    {"loadbalance", Known::named, "records keep the order of the upstream"},
    {"tls", Known::read, ""},
    {"root", Known::read, ""},
    {"chaos", Known::read, ""},
    {"nsid", Known::read, ""},
    {"acl", Known::read, ""},
    {"template", Known::read, ""},
    {"hosts", Known::read, ""},
    {"file", Known::read, ""},
    {"rewrite", Known::named, "use a plugin of type redirect for other names"},
}};

const PluginName* find_plugin(std::string_view name) {
    const auto* const at = std::ranges::find(kPlugins, name, &PluginName::name);
    return at == kPlugins.end() ? nullptr : at;
}

// A block's plugins, read and written once.
struct Program {
    const ServerBlock* block = nullptr;
    std::string suffix;  // of tags: "", "_2"
    std::string root;    // of relative paths
    const Directive *cache = nullptr, *dns64 = nullptr;
    bool logs = false;
    CoreLocal local;
    std::vector<CoreForward> forwards;  // those of all names of the block last
    std::vector<std::string> names;     // of its zones but the root
    bool has_root = false;
    bool is_asked = false;    // some server has a zone of it
    bool is_split = false;    // some has a part of its zones
    bool is_entered = false;  // by a server that has another block for the root zone

    [[nodiscard]] bool is_plain() const {
        return !has_root && !is_split && dns64 == nullptr && !logs && local.empty() &&
               forwards.size() == 1 && forwards.front().except.empty() && covers(forwards.front());
    }
    // Whether the block has the name.
    [[nodiscard]] bool has(std::string_view name) const {
        return has_root || std::ranges::any_of(names, [&](const std::string& zone) {
                   return name == zone || name.ends_with("." + zone);
               });
    }
    // Whether the forward is for every name of the block.
    [[nodiscard]] bool covers(const CoreForward& f) const {
        return f.from.empty() || (!has_root && std::ranges::all_of(names, [&](const auto& name) {
                   return name == f.from || name.ends_with("." + f.from);
               }));
    }
};

class CorefileWriter {
  public:
    CorefileWriter(const Corefile& from, std::string_view source, FileTest is_there)
        : from_(from), is_there_(std::move(is_there)), servers_(read_core_servers(from)) {
        sheet_.comment("Made by 'steerctl import corefile' from " + std::string(source) +
                       ". Check it with 'steerdnsd --check FILE'. Notes name settings that are "
                       "not imported or that differ.");
        sheet_.notes(from.notes);
    }

    Imported write() {
        read_servers();
        if (!is_answered())
            return {
                {},
                {},
                Failure{
                    0,
                    "has no zone to serve: each zone needs plain DNS (dns://), or a certificate "
                    "on this machine"}};
        for (Program& program : programs_) {
            if (program.is_asked) read_block(program);
        }
        policy();
        control();
        sheet_.blank();
        sheet_.open("plugins:");
        for (const Program& program : programs_)
            plugins(program);
        sequences();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    // ---- zones and servers

    void read_servers() {
        programs_.resize(from_.blocks.size());
        for (std::size_t i = 0; i < programs_.size(); ++i) {
            programs_[i].block = &from_.blocks[i];
            programs_[i].suffix = i == 0 ? "" : "_" + std::to_string(i + 1);
        }
        sheet_.notes(servers_.notes);
        for (const auto& zones : servers_.entries) {
            for (const CoreZone& zone : zones)
                take_zone(zone, zones);
        }
        for (const auto& zones : servers_.entries) {
            for (const CoreZone& zone : zones) {
                const auto here = std::ranges::count(zones, zone.block, &CoreZone::block);
                Program& program = programs_[zone.block];
                if (static_cast<std::size_t>(here) != program.names.size()) program.is_split = true;
            }
        }
    }

    void take_zone(const CoreZone& zone, const std::vector<CoreZone>& beside) {
        Program& program = programs_[zone.block];
        program.is_asked = true;
        if (zone.name.empty()) {
            program.has_root = true;
            return;
        }
        const CoreZone root{"", zone.block};
        if (std::ranges::find(beside, root) == beside.end()) program.is_entered = true;
        if (std::ranges::find(program.names, zone.name) == program.names.end())
            program.names.push_back(zone.name);
    }

    [[nodiscard]] bool is_answered() const {
        return std::ranges::any_of(servers_.all, [&](const CoreServer& server) {
            return server.transport == CoreTransport::dns || has_certificate(server, is_there_);
        });
    }

    // ---- blocks

    void read_block(Program& program) {
        for (const Directive& d : program.block->body) {
            if (d.name == "root" && !d.args.empty()) program.root = d.args.front();
        }
        for (const Directive& d : program.block->body) {
            const PluginName* const plugin = find_plugin(d.name);
            if (plugin == nullptr) {
                sheet_.note(line_place(d.line), "the plugin " + in_quotes(d.name) +
                                                    " is not imported: it is not supported");
            } else if (plugin->known == Known::named) {
                sheet_.note(line_place(d.line),
                            "the plugin " + in_quotes(d.name) +
                                " is not imported: " + std::string(plugin->why));
            } else if (plugin->known == Known::read) {
                read_directive(d, program);
            }
        }
        // The names of a forward are those of its block that are below it.
        std::ranges::stable_sort(program.forwards, [](const CoreForward& a, const CoreForward& b) {
            return label_count(a.from) > label_count(b.from);
        });
    }

    // Keeps the first one of a block.
    void take_once(const Directive& d, const Directive*& kept) {
        if (kept == nullptr) {
            kept = &d;
        } else {
            sheet_.note(line_place(d.line),
                        "the second " + in_quotes(d.name) + " of this block is not imported");
        }
    }

    void read_directive(const Directive& d, Program& program) {
        if (is_core_local(d.name)) {
            program.local.read(d, scope(program));
        } else if (d.name == "chaos") {
            chaos(d, program);
        } else if (d.name == "nsid") {
            nsid(d);
        } else if (d.name == "cache") {
            take_once(d, program.cache);
        } else if (d.name == "dns64") {
            take_once(d, program.dns64);
        } else if (d.name == "log") {
            program.logs = true;
        } else if (d.name == "reload") {
            reloads_ = true;
        } else if (d.name == "prometheus") {
            metrics(d);
        } else if (d.name == "bind" || d.name == "tls" || d.name == "root") {
            // the servers' (corefile_servers.h), or read already
        } else {
            add_forward(d, program);
        }
    }

    void add_forward(const Directive& d, Program& program) {
        const std::size_t number = program.forwards.size() + 1;
        // The letter avoids the tags of other blocks ("forward_2").
        const std::string tag =
            "forward" + program.suffix + (number == 1 ? "" : "_f" + std::to_string(number));
        CoreForward forward = read_core_forward(d, tag);
        if (!forward.from.empty() && !name_error(forward.from).empty()) {
            sheet_.note(line_place(d.line), "the forward of " + in_quotes(forward.from) +
                                                " is not imported: this is not a domain name");
            return;
        }
        if (forward.forward.upstreams.empty() && forward.forward.resolv_file.empty())
            forward.forward.notes.push_back(
                {line_place(d.line),
                 "this forward has no upstream: it uses the DNS servers of this host"});
        program.forwards.push_back(std::move(forward));
    }

    [[nodiscard]] CoreScope scope(const Program& program) const {
        CoreScope out{program.names, program.root, program.suffix, is_there_};
        if (program.has_root) out.zones.emplace_back();
        return out;
    }

    // ---- chaos [VERSION] [AUTHORS...], nsid [DATA]

    void chaos(const Directive& d, Program& program) {
        const bool has_version = program.has("version.bind") || program.has("version.server");
        const bool has_host = program.has("hostname.bind") || program.has("id.server");
        if (!has_version && !has_host && !program.has("authors.bind"))
            return sheet_.note(line_place(d.line),
                               "the plugin 'chaos' is not imported: its names (version.bind, "
                               "id.server) are in no zone of this block");
        if (has_version && d.args.empty()) {
            sheet_.note(line_place(d.line),
                        "'chaos' without a version: version.bind answers SteerDNS");
            take_identity(d, "version_bind", "SteerDNS");
        } else if (has_version) {
            take_text(d, "version_bind", d.args.front());
        }
        if (has_host) take_identity(d, "id_server", "hostname");
        if (d.args.size() < 2 || !program.has("authors.bind")) return;
        const std::vector<std::string> authors(d.args.begin() + 1, d.args.end());
        if (std::ranges::all_of(authors, is_core_string))
            program.local.read_authors(authors, scope(program));
        else
            sheet_.note(line_place(d.line),
                        "the authors of 'chaos' are not imported: expected at most 255 printable "
                        "characters each, without quotes and backslashes");
    }

    void nsid(const Directive& d) {
        if (d.args.empty()) return take_identity(d, "nsid", "hostname");
        take_text(d, "nsid", join(d.args, " "));
    }

    // A text that the Corefile has.
    void take_text(const Directive& d, std::string_view key, const std::string& text) {
        constexpr std::size_t kLongest = 64;
        const bool is_word = lowered(text) == "off" || text == "hostname";
        if (text.empty() || text.size() > kLongest || is_word || !is_core_string(text))
            return refuse_text(d, text,
                               "expected 1..64 printable ASCII characters without quotes and "
                               "backslashes, and neither 'off' nor 'hostname'");
        take_identity(d, key, text);
    }

    // One key of `policy`, which holds for all servers.
    void take_identity(const Directive& d, std::string_view key, const std::string& text) {
        const auto other =
            std::ranges::find(identity_, key, [](const auto& row) { return row.first; });
        if (other == identity_.end()) {
            identity_.emplace_back(key, text);
        } else if (other->second != text) {
            refuse_text(d, text,
                        in_quotes(key) + " of 'policy' holds for all servers, and is " +
                            in_quotes(other->second));
        }
    }

    void refuse_text(const Directive& d, const std::string& text, const std::string& why) {
        sheet_.note(line_place(d.line),
                    in_quotes(text) + " of " + in_quotes(d.name) + " is not imported: " + why);
    }

    void policy() {
        if (identity_.empty()) return;
        sheet_.blank();
        sheet_.open("policy:");
        for (const auto& [key, text] : identity_)
            sheet_.key(key, text);
        sheet_.close();
    }

    void metrics(const Directive& d) {
        if (d.args.empty()) return;
        std::string address = d.args.front();
        if (address.starts_with("localhost:")) address.replace(0, 9, "127.0.0.1");
        const auto colon = address.rfind(':');
        const std::string host = address.substr(0, colon);
        const auto port = colon == std::string::npos
                              ? std::nullopt
                              : parse_number(std::string_view(address).substr(colon + 1), 65'535);
        if (port.value_or(0) > 0 && (host.empty() || is_v4(host))) {
            metrics_ = host.empty() ? "0.0.0.0" + address : address;
        } else {
            sheet_.note(line_place(d.line), "prometheus " + in_quotes(address) +
                                                " is not imported: expected ADDRESS:PORT");
        }
    }

    void control() {
        if (!reloads_ && metrics_.empty()) return;
        sheet_.blank();
        sheet_.open("control:");
        if (reloads_) {
            sheet_.comment("reload: steerdnsd reloads the configuration when a file changes");
            sheet_.line("watch: all");
        }
        if (!metrics_.empty()) sheet_.key("http", metrics_);
        sheet_.close();
    }

    // ---- plugins

    void plugins(const Program& program) {
        if (!program.is_asked) return;
        if (program.is_plain()) return zone(program);
        if (program.cache != nullptr) {
            sheet_.open_plugin("answers" + program.suffix, "cache");
            write_core_cache(sheet_, *program.cache);
            sheet_.close_plugin();
        }
        if (program.dns64 != nullptr) {
            sheet_.open_plugin("nat64" + program.suffix, "dns64");
            write_core_dns64(sheet_, *program.dns64);
            sheet_.close_plugin();
        }
        program.local.write_plugins(sheet_);
        for (const CoreForward& forward : program.forwards)
            write_forward(sheet_, forward.forward);
        for (const CoreForward& forward : program.forwards) {
            if (program.covers(forward)) continue;
            sheet_.open_plugin("zone_" + forward.forward.tag, "zone");
            sheet_.line("names: " + flow_list({forward.from}));
            sheet_.key("forward", forward.forward.tag);
            sheet_.close_plugin();
        }
        if (!program.is_entered) return;
        sheet_.open("- tag: block" + program.suffix);
        sheet_.line("type: sequence");
        sheet_.open("args:");
        steps(program);
        sheet_.close();
        sheet_.close();
    }

    void zone(const Program& program) {
        sheet_.open_plugin("zone" + program.suffix, "zone");
        sheet_.line("names: " + flow_list(program.names));
        sheet_.open("forward:");
        write_forward_args(sheet_, program.forwards.front().forward);
        sheet_.close();
        if (program.cache != nullptr) {
            sheet_.open("cache:");
            write_core_cache(sheet_, *program.cache);
            sheet_.close();
        }
        sheet_.close_plugin();
    }

    // ---- sequences

    void steps(const Program& program) {
        if (program.logs) sheet_.line("- exec: query_summary");
        program.local.write_access(sheet_);
        if (program.cache != nullptr) sheet_.line("- exec: $answers" + program.suffix);
        if (program.dns64 != nullptr) sheet_.line("- exec: $nat64" + program.suffix);
        if (program.local.write_answers(sheet_)) return;
        for (const CoreForward& forward : program.forwards) {
            if (!program.covers(forward)) {
                sheet_.line("- exec: $zone_" + forward.forward.tag);
                continue;
            }
            if (!forward.except.empty()) {
                std::vector<std::string> words{"qname"};
                for (const std::string& name : forward.except)
                    words.push_back("domain:" + name);
                sheet_.line("- { matches: " + scalar(join(words, " ")) +
                            ", exec: reject REFUSED }");
            }
            sheet_.line("- exec: $" + forward.forward.tag);
            return;
        }
        sheet_.note(line_place(program.block->line),
                    "this block has no forward: queries that no plugin answers are refused");
        sheet_.line("- exec: reject REFUSED");
    }

    void sequence(const std::vector<CoreZone>& zones, const std::string& tag) {
        sheet_.open("- tag: " + tag);
        sheet_.line("type: sequence");
        sheet_.open("args:");
        const auto root = std::ranges::find(zones, "", &CoreZone::name);
        std::vector<std::size_t> done;
        for (const CoreZone& zone : zones) {
            const Program& program = programs_[zone.block];
            if (zone.name.empty()) continue;
            if (program.is_plain()) {
                if (std::ranges::find(done, zone.block) == done.end())
                    sheet_.line("- exec: $zone" + program.suffix);
                done.push_back(zone.block);
            } else if (root == zones.end() || root->block != zone.block) {
                sheet_.line("- { matches: " + scalar("qname domain:" + zone.name) +
                            ", exec: goto block" + program.suffix + " }");
            }
        }
        if (root != zones.end()) {
            steps(programs_[root->block]);
        } else {
            sheet_.comment("names outside all zones");
            sheet_.line("- exec: reject REFUSED");
        }
        sheet_.close();
        sheet_.close();
    }

    static std::string tag_of_entry(std::size_t entry) {
        return entry == 0 ? "main" : "main_" + std::to_string(entry + 1);
    }

    void sequences() {
        for (std::size_t i = 0; i < servers_.entries.size(); ++i)
            sequence(servers_.entries[i], tag_of_entry(i));
        unsigned number = servers_.all.size() > 1 ? 1 : 0;
        for (const CoreServer& server : servers_.all)
            write_core_server(sheet_, server, tag_of_entry(server.entry),
                              number == 0 ? 0 : number++, is_there_);
    }

    const Corefile& from_;
    FileTest is_there_;
    CoreServers servers_;
    Sheet sheet_;
    std::vector<Program> programs_;
    std::string metrics_;
    std::vector<std::pair<std::string, std::string>> identity_;  // keys and texts of `policy`
    bool reloads_ = false;
};

}  // namespace

Imported import_corefile(std::string_view text, std::string_view source,
                         const Environment& environment, const FileTest& is_there) {
    const Corefile from = read_corefile(text, environment);
    if (from.failure) return {{}, {}, from.failure};
    return CorefileWriter(from, source, is_there).write();
}

}  // namespace steer::importing
