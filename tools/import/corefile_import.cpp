#include "tools/import/corefile_import.h"

#include <algorithm>
#include <array>
#include <map>

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
constexpr std::array<PluginName, 17> kPlugins{{
    {"forward", Known::read, ""},
    {"cache", Known::read, ""},
    {"dns64", Known::read, ""},
    {"log", Known::read, ""},
    {"bind", Known::read, ""},
    {"reload", Known::read, ""},
    {"prometheus", Known::read, ""},
    {"errors", Known::silent, ""},
    {"loop", Known::silent, ""},
    {"health", Known::named, "steerctl status and the metrics (control.http) say how it is"},
    {"ready", Known::named, "steerctl status and the metrics (control.http) say how it is"},
    {"bufsize", Known::named,
     "answers over UDP and what upstreams may send stay within 1232 bytes (RFC 9715)"},
    {"loadbalance", Known::named, "records leave in the order in which they came"},
    {"tls", Known::named, "write 'cert' and 'key' of a tcp_server or http_server"},
    {"hosts", Known::named, "write its lines as 'NAME ADDRESS' into a file of the plugin hosts"},
    {"file", Known::named, "its zone file can be named in 'files' of the plugin arbitrary"},
    {"rewrite", Known::named, "the plugin redirect has another name asked"},
}};

const PluginName* find_plugin(std::string_view name) {
    const auto* const at = std::ranges::find(kPlugins, name, &PluginName::name);
    return at == kPlugins.end() ? nullptr : at;
}

// A zone of a block at a port.
struct Zone {
    std::string name;  // empty: the root
    std::size_t block;
    bool operator==(const Zone&) const = default;
};
struct Port {
    std::string number;
    std::vector<Zone> zones;
};

// A block's plugins, read and written once.
struct Program {
    const ServerBlock* block = nullptr;
    std::string suffix;  // of tags: "", "_2"
    const Directive *cache = nullptr, *dns64 = nullptr;
    bool logs = false;
    std::vector<CoreForward> forwards;  // those of all names of the block last
    std::vector<std::string> names;     // of its zones but the root
    bool has_root = false;

    [[nodiscard]] bool is_plain() const {
        return !has_root && dns64 == nullptr && !logs && forwards.size() == 1 &&
               forwards.front().except.empty() && covers(forwards.front());
    }
    // Whether the forward is for every name of the block.
    [[nodiscard]] bool covers(const CoreForward& f) const {
        return f.from.empty() || (!has_root && std::ranges::all_of(names, [&](const auto& name) {
                   return name == f.from || name.ends_with("." + f.from);
               }));
    }
};

class Writer {
  public:
    Writer(const Corefile& from, std::string_view source) : from_(from) {
        sheet_.comment("Made by 'steerctl import corefile' of " + std::string(source) +
                       ". Check it with 'steerdnsd --check FILE'. What was not carried over, or is "
                       "not the same here, is a note at its place.");
        sheet_.notes(from.notes);
    }

    Imported write() {
        read_keys();
        if (ports_.empty())
            return {{}, {}, Failure{0, "holds no zone that is answered over plain DNS"}};
        keep_one_program();
        for (Program& program : programs_) {
            if (is_asked(program)) read_block(program);
        }
        control();
        sheet_.blank();
        sheet_.open("plugins:");
        for (const Program& program : programs_)
            plugins(program);
        sequences();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    // ---- zones and ports

    void read_keys() {
        programs_.resize(from_.blocks.size());
        for (std::size_t i = 0; i < from_.blocks.size(); ++i) {
            programs_[i].block = &from_.blocks[i];
            programs_[i].suffix = i == 0 ? "" : "_" + std::to_string(i + 1);
            for (const std::string& key : from_.blocks[i].keys)
                read_key(key, i);
        }
        for (Port& port : ports_)
            std::ranges::stable_sort(port.zones, [](const Zone& a, const Zone& b) {
                return label_count(a.name) > label_count(b.name);
            });
    }

    void read_key(std::string_view key, std::size_t block) {
        Program& program = programs_[block];
        const auto leave_out = [&](const std::string& why) {
            sheet_.note(line_place(program.block->line),
                        "the zone " + quoted(key) + " is left out: " + why);
        };
        std::string_view rest = key;
        if (const auto end = rest.find("://"); end != std::string_view::npos) {
            if (lower(rest.substr(0, end)) != "dns")
                return leave_out("write a tcp_server or http_server with 'cert' and 'key' for it");
            rest.remove_prefix(end + 3);
        }
        std::string port = "53";
        if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
            port = rest.substr(colon + 1);
            rest = rest.substr(0, colon);
        }
        if (parse_number(port, 65'535).value_or(0) == 0) return leave_out("it has no good port");
        const std::string name = rest == "." || rest.empty() ? "" : zone_of(rest);
        if (!name.empty()) {
            if (const std::string why = name_trouble(name); !why.empty())
                return leave_out("its name " + why);
        }
        add_zone(port, name, block);
    }

    // "10.0.0.0/8" is the zone of its addresses' names.
    static std::string zone_of(std::string_view text) {
        const auto slash = text.find('/');
        if (slash == std::string_view::npos) return plain_name(text);
        const auto bytes = split_all(text.substr(0, slash), '.');
        const auto bits = parse_number(text.substr(slash + 1), 32).value_or(0);
        if (!is_v4(text.substr(0, slash)) || bits == 0 || bits % 8 != 0)
            return std::string(text) + "..";
        std::string out = "in-addr.arpa";
        for (std::size_t i = 0; i < bits / 8; ++i)
            out.insert(0, bytes[i] + ".");
        return out;
    }

    void add_zone(const std::string& number, const std::string& name, std::size_t block) {
        auto port = std::ranges::find(ports_, number, &Port::number);
        if (port == ports_.end()) port = ports_.insert(ports_.end(), Port{number, {}});
        if (std::ranges::find(port->zones, name, &Zone::name) != port->zones.end()) {
            sheet_.note(line_place(from_.blocks[block].line),
                        "the zone " + quoted(name.empty() ? "." : name) +
                            " is left out: another block has it at port " + number);
            return;
        }
        port->zones.push_back({name, block});
        Program& program = programs_[block];
        if (name.empty()) {
            program.has_root = true;
        } else if (std::ranges::find(program.names, name) == program.names.end()) {
            program.names.push_back(name);
        }
    }

    // What is asked at one port is answered as at the others: all servers have the same entry.
    void keep_one_program() {
        std::stable_partition(ports_.begin(), ports_.end(),
                              [](const Port& port) { return port.number == "53"; });
        const Port first = ports_.front();
        std::erase_if(ports_, [&](const Port& port) {
            const bool other = port.zones != first.zones;
            if (other)
                sheet_.note("", "port " + port.number +
                                    " is left out: it has other zones than port " + first.number +
                                    ", and all servers answer the same");
            return other;
        });
    }

    // ---- blocks

    void read_block(Program& program) {
        for (const Directive& d : program.block->body) {
            const PluginName* const plugin = find_plugin(d.name);
            if (plugin == nullptr) {
                sheet_.note(line_place(d.line),
                            "the plugin " + quoted(d.name) + " is left out: it is not known here");
            } else if (plugin->known == Known::named) {
                sheet_.note(line_place(d.line), "the plugin " + quoted(d.name) +
                                                    " is left out: " + std::string(plugin->why));
            } else if (plugin->known == Known::read) {
                read_directive(d, program);
            }
        }
        // The names of a forward are those of its block that are below it.
        std::ranges::stable_sort(program.forwards, [](const CoreForward& a, const CoreForward& b) {
            return label_count(a.from) > label_count(b.from);
        });
    }

    void read_directive(const Directive& d, Program& program) {
        if (d.name == "cache") {
            program.cache = &d;
        } else if (d.name == "dns64") {
            program.dns64 = &d;
        } else if (d.name == "log") {
            program.logs = true;
        } else if (d.name == "reload") {
            reloads_ = true;
        } else if (d.name == "prometheus") {
            metrics(d);
        } else if (d.name == "bind") {
            bind(d);
        } else {
            add_forward(d, program);
        }
    }

    void add_forward(const Directive& d, Program& program) {
        const std::size_t number = program.forwards.size() + 1;
        // (A letter, so that it is no block's number.)
        const std::string tag =
            "forward" + program.suffix + (number == 1 ? "" : "_f" + std::to_string(number));
        CoreForward forward = read_core_forward(d, tag);
        if (!forward.from.empty() && !name_trouble(forward.from).empty()) {
            sheet_.note(line_place(d.line),
                        "the forward of " + quoted(forward.from) + " is left out: that is no name");
            return;
        }
        if (forward.forward.upstreams.empty() && forward.forward.resolv_file.empty())
            forward.forward.notes.push_back(
                {line_place(d.line),
                 "no upstream is left: those that this host is told are asked"});
        program.forwards.push_back(std::move(forward));
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
            sheet_.note(line_place(d.line),
                        "prometheus " + quoted(address) + " is left out: expected ADDRESS:PORT");
        }
    }

    void bind(const Directive& d) {
        for (const std::string& address : d.args) {
            if (!is_v4(address) && !is_v6(address)) {
                sheet_.note(line_place(d.line), "bind " + quoted(address) +
                                                    " is left out: name interfaces in 'ports' of "
                                                    "'dataplane'");
            } else if (std::ranges::find(addresses_, address) == addresses_.end()) {
                addresses_.push_back(address);
            }
        }
    }

    void control() {
        if (!reloads_ && metrics_.empty()) return;
        sheet_.blank();
        sheet_.open("control:");
        if (reloads_) {
            sheet_.comment("reload: the configuration is read anew when it changes");
            sheet_.line("watch: all");
        }
        if (!metrics_.empty()) sheet_.key("http", metrics_);
        sheet_.close();
    }

    // ---- plugins

    void plugins(const Program& program) {
        if (!is_asked(program)) return;
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
        for (const CoreForward& forward : program.forwards)
            write_forward(sheet_, forward.forward);
        for (const CoreForward& forward : program.forwards) {
            if (program.covers(forward)) continue;
            sheet_.open_plugin("zone_" + forward.forward.tag, "zone");
            sheet_.line("names: " + flow_list({forward.from}));
            sheet_.key("forward", forward.forward.tag);
            sheet_.close_plugin();
        }
        if (is_root_of(program, ports_.front())) return;
        sheet_.open("- tag: block" + program.suffix);
        sheet_.line("type: sequence");
        sheet_.open("args:");
        steps(program);
        sheet_.close();
        sheet_.close();
    }

    [[nodiscard]] bool is_asked(const Program& program) const {
        return std::ranges::any_of(ports_, [&](const Port& port) {
            return std::ranges::any_of(
                port.zones, [&](const Zone& zone) { return &programs_[zone.block] == &program; });
        });
    }
    [[nodiscard]] bool is_root_of(const Program& program, const Port& port) const {
        return std::ranges::any_of(port.zones, [&](const Zone& zone) {
            return zone.name.empty() && &programs_[zone.block] == &program;
        });
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
        if (program.cache != nullptr) sheet_.line("- exec: $answers" + program.suffix);
        if (program.dns64 != nullptr) sheet_.line("- exec: $nat64" + program.suffix);
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
                    "this block forwards to nobody: what none of its plugins answers is refused");
        sheet_.line("- exec: reject REFUSED");
    }

    void sequence(const Port& port, const std::string& tag) {
        sheet_.open("- tag: " + tag);
        sheet_.line("type: sequence");
        sheet_.open("args:");
        std::vector<std::size_t> done;
        for (const Zone& zone : port.zones) {
            const Program& program = programs_[zone.block];
            if (zone.name.empty()) continue;
            if (program.is_plain()) {
                if (std::ranges::find(done, zone.block) == done.end())
                    sheet_.line("- exec: $zone" + program.suffix);
                done.push_back(zone.block);
            } else if (!is_root_of(program, port)) {
                sheet_.line("- { matches: " + scalar("qname domain:" + zone.name) +
                            ", exec: goto block" + program.suffix + " }");
            }
        }
        const auto root = std::ranges::find(port.zones, "", &Zone::name);
        if (root != port.zones.end()) {
            steps(programs_[root->block]);
        } else {
            sheet_.comment("names of no zone");
            sheet_.line("- exec: reject REFUSED");
        }
        sheet_.close();
        sheet_.close();
    }

    void sequences() {
        sequence(ports_.front(), "main");
        const bool several = ports_.size() > 1 || addresses_.size() > 1;
        unsigned number = several ? 1 : 0;
        for (const Port& port : ports_) {
            if (addresses_.empty())
                write_servers(sheet_, ":" + port.number, "main", several ? number++ : 0);
            for (const std::string& address : addresses_)
                write_servers(sheet_, with_port(address, *parse_number(port.number, 65'535)),
                              "main", several ? number++ : 0);
        }
    }

    const Corefile& from_;
    Sheet sheet_;
    std::vector<Program> programs_;
    std::vector<Port> ports_;
    std::vector<std::string> addresses_;  // of `bind`
    std::string metrics_;
    bool reloads_ = false;
};

}  // namespace

Imported import_corefile(std::string_view text, std::string_view source,
                         const Environment& environment) {
    const Corefile from = read_corefile(text, environment);
    if (from.failure) return {{}, {}, from.failure};
    return Writer(from, source).write();
}

}  // namespace steer::importing
