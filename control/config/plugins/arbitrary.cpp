// arbitrary: records of any type, as zone files write them.
#include <filesystem>
#include <map>
#include <utility>

#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/text/zone_text.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct ArbitraryArgs {
    std::vector<Text> rules, files;
    std::string origin;  // without a last dot; empty: the root
    bool strict = false, short_circuit = false;
};

void read_origin(Reading& in, const Node& node, const Place& place, ArbitraryArgs& out) {
    std::string text;
    if (!read_value(in, node, place, "", text)) return;
    auto name = matchers::parse_name(text, {.any_escape = true, .alone = true});
    if (name) {
        out.origin = *std::move(name);
    } else {
        in.report().error(place.line, place.name() + ": " + name.error().text);
    }
}

constexpr std::array<Row<ArbitraryArgs>, 5> kArbitraryRows{{
    {"rules",
     Own<ArbitraryArgs>{"list of records", read_list<&ArbitraryArgs::rules, ArbitraryArgs>}, "none",
     "",
     "records, as in `www.example.org. 300 IN TXT \"text\"`\nTTL and class are optional; the "
     "defaults are 3600 and IN. Names in the data have the same form as names of records."},
    {"files",
     Files<ArbitraryArgs>{"list of paths", read_list<&ArbitraryArgs::files, ArbitraryArgs>}, "none",
     "",
     "zone files\n`$ORIGIN`, `$TTL`, `$INCLUDE`, `$GENERATE`, parentheses and `;` comments are "
     "supported."},
    {"origin", Own<ArbitraryArgs>{"domain", read_origin}, "(the root)", "",
     "domain of names without a final dot\nWith `example.org`, the name `www` is www.example.org "
     "and `@` is example.org, until a file has an `$ORIGIN`."},
    {"strict", &ArbitraryArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
    {"short_circuit", &ArbitraryArgs::short_circuit, "false", "",
     "an answer ends the whole program"},
}};

class RecordsReader {
  public:
    RecordsReader(Reading& in, std::string owner, std::string origin)
        : in_(in), owner_(std::move(owner)), origin_(std::move(origin)) {}

    void rule(const Text& text) {
        ZoneText zone = read_zone(text.value, {}, files(text.line), origin_, false);
        const Place place{"rules", owner_, text.line};
        add_all(zone, 0, text.line);
        for (const Error& bad : zone.bad.errors())
            in_.report().error(text.line, place.name() + ": " + bad.text);
    }

    void file(const Text& path, bool strict) {
        const ResolvedPath resolved = in_.resolve(path.value, path.line);
        const std::string& file = resolved.text();
        const Place place{"files", owner_, path.line};
        const auto bytes = in_.read_file(resolved, place);
        if (!bytes) return;
        ZoneText zone = read_zone(*bytes, file, files(path.line), origin_);
        const std::size_t good = add_all(zone, in_.file_number(file), 0);
        say_bad_lines(in_, zone.bad, good, strict, file, place, kOfOperator);
    }

    Arbitrary out;

  private:
    // $INCLUDE in a zone file is relative to its folder; in `rules`, to the configuration.
    // `line`: of the text or file that has it.
    ZoneFiles files(int line) {
        return [this, line](std::string_view path, std::string_view by) -> Result<ZoneFile> {
            const std::filesystem::path given(path);
            const bool is_whole = by.empty() || given.is_absolute();
            std::string file =
                in_.resolve(is_whole ? given.string()
                                     : (std::filesystem::absolute(by).parent_path() / given)
                                           .lexically_normal()
                                           .string(),
                            line);
            in_.settings().opened.push_back(file);
            auto bytes = Reading::read_text(file);
            if (!bytes) {
                return Error{"the file " + matchers::quoted_path(file) +
                             " cannot be read: " + bytes.error().text};
            }
            return ZoneFile{std::move(file), *std::move(bytes)};
        };
    }

    // `line`: of all records; 0: each has its own. Returns how many were added.
    std::size_t add_all(ZoneText& zone, std::uint32_t file, int line) {
        std::size_t good = 0;
        for (ZoneRecord& r : zone.records) {
            // A zone file may have any name, `rules` have what a person wrote.
            const bool any_byte = line == 0;
            auto name = matchers::parse_name(r.name, {.any_escape = true,
                                                      .stars = true,
                                                      .printable = any_byte,
                                                      .alone = true,
                                                      .numbers = any_byte});
            if (!name) {
                zone.bad.add(std::move(name).error(), r.line);
                continue;
            }
            ++good;
            const auto [at, fresh] =
                known_.try_emplace(*name, static_cast<std::uint32_t>(out.records.size()));
            if (fresh) {
                out.records.emplace_back();
                out.rules.push_back({{matchers::RuleKind::full, *std::move(name)},
                                     file,
                                     line == 0 ? r.line : line,
                                     at->second});
            }
            out.records[at->second].push_back(std::move(r.record));
        }
        return good;
    }

    Reading& in_;
    std::string owner_, origin_;
    std::map<std::string, std::uint32_t> known_;
};

void read_arbitrary(Reading& in, const Node* node, Plugin& plugin) {
    ArbitraryArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kArbitraryRows, owner, args);
    RecordsReader reader(in, owner, args.origin);
    for (const Text& rule : args.rules)
        reader.rule(rule);
    for (const Text& file : args.files)
        reader.file(file, args.strict);
    reader.out.short_circuit = args.short_circuit;
    warn_without(in, map, plugin, {"rules", "files"}, "it answers no name");
    plugin.args = std::move(reader.out);
}

}  // namespace

const PluginType kArbitraryType{
    "arbitrary",
    Role::executor,
    "Answers queries from records written here, if name, type and class match. Other queries "
    "continue with the next rule. CNAMEs are not followed. Write types without a known text form "
    "as in RFC 3597 (`TYPE65280 \\# 2 abcd`).",
    "",
    "",
    [] { return row_texts(kArbitraryRows); },
    read_arbitrary,
    nullptr};

}  // namespace steer::config
