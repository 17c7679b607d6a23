#include "control/config/lists/runtime_records.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "control/config/placeholders.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kBookForm =
    "expected tags of static plugins with lists of records, as in 'local: [{name: nas.lan, "
    "address: 192.168.88.10}]'";

Node parse(Reading& in, const std::string& file, std::string_view text) {
    auto& included = in.settings().included;
    included.push_back(file);
    in.report().add_source(file);
    const int before = static_cast<int>(included.size()) * kLinesPerSource;
    const std::size_t errors = in.report().error_count();
    Node top = parse_document(text, in.report(), before);
    if (in.report().error_count() > errors || top.is_null()) return {};
    if (!top.is_map()) {
        in.report().error(std::max(top.line, before + 1),
                          std::string(kBookForm) + ", found " + std::string(top.what()));
        return {};
    }
    expand_placeholders(top, in);
    for (const Entry& entry : top.entries) {
        if (!entry.value.is_list() && !entry.value.is_null())
            in.report().error(
                entry.line, std::string(kBookForm) + ", found " + std::string(entry.value.what()));
    }
    return in.report().error_count() > errors ? Node{} : std::move(top);
}

}  // namespace

const Node& runtime_records(Reading& in) {
    auto& top = in.runtime_records();
    if (top) return *top;
    top.emplace();
    const std::string& file = in.settings().control.static_file;
    if (file.empty()) return *top;
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) {
        if (std::filesystem::is_directory(std::filesystem::path(file).parent_path(), error))
            in.settings().opened.push_back(file);
        return *top;
    }
    if (const auto text = in.read_file(in.resolve(file, 0), {"static", "'control'", 0}))
        *top = parse(in, file, *text);
    return *top;
}

void warn_of_unused_records(Reading& in) {
    const std::string& file = in.settings().control.static_file;
    std::error_code error;
    if (!in.runtime_records()) {  // no plugin asked for them
        if (!file.empty() && std::filesystem::exists(file, error))
            in.report().warn(0, "the records of " + matchers::quoted_path(file) +
                                    " have no effect: the configuration has no static; add one, "
                                    "or remove the file");
        return;
    }
    for (const Entry& entry : in.runtime_records()->entries) {
        const auto* const plugin = in.find_tag(entry.key);
        if (plugin != nullptr && plugin->type == "static") continue;
        in.report().warn(entry.line, "the records of " + matchers::quoted(entry.key) +
                                         " have no effect: the configuration has no static with "
                                         "this tag; rename the tag, or remove the records");
    }
}

Result<RecordBook> parse_record_book(const std::string& file, std::string_view text) {
    const LoadOptions options;
    Reading in("", options);
    const Node top = parse(in, file, text);
    RecordBook book;
    for (const Entry& part : top.entries) {
        book.parts.push_back({part.key, {}});
        for (const Node& node : part.value.items) {
            RecordFields fields;
            const bool is_flat =
                node.is_map() &&
                std::ranges::all_of(node.entries, [](const Entry& e) { return e.value.is_text(); });
            if (!is_flat) {
                in.report().error(node.line,
                                  "expected a record, as in '{name: nas.lan, address: "
                                  "192.168.88.10}'");
                continue;
            }
            for (const Entry& entry : node.entries)
                fields.emplace_back(entry.key, entry.value.text);
            book.parts.back().records.push_back(std::move(fields));
        }
    }
    if (auto errors = in.report().take_errors(); !errors.empty()) return errors.front();
    return {boost::system::in_place_value, std::move(book)};
}

StaticPlugins static_plugins(const Settings& settings) {
    StaticPlugins out;
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const Plugin& plugin = settings.plugins[i];
        if (plugin.in_place) continue;
        out.tags.push_back({plugin.tag, std::string(plugin.type), plugin.role, i});
        const auto* const records = std::get_if<StaticRecords>(&plugin.args);
        if (records == nullptr) continue;
        StaticPlugins::One one{plugin.tag, *records, {}};
        for (const WrittenRecord& record : records->written) {
            const Error at = settings.error(record.line, {});
            one.places.push_back(at.file + ":" + std::to_string(at.line));
        }
        out.plugins.push_back(std::move(one));
    }
    return out;
}

}  // namespace steer::config
