// download: files from URLs into folders.
#include <filesystem>

#include "control/config/plugin_type.h"
#include "control/config/reference.h"
#include "control/config/text/url.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct Item {
    std::string url, dir, filename;
};

constexpr std::array<Row<Item>, 3> kItemRows{{
    {"url", &Item::url, "required", "", "`http://` or `https://` URL"},
    {"dir", FileName<Item>{&Item::dir}, "required", "",
     "target folder; created if it does not exist"},
    {"filename", &Item::filename, "(last part of the URL)", "", "file name in the folder"},
}};

void add(Reading& in, const Item& item, const std::string& owner, int line, Download& out) {
    const auto url = parse_url(item.url);
    if (!url) {
        in.report().error(line, "'url' of " + owner + ": " + url.error().text);
        return;
    }
    std::string name = item.filename;
    if (name.empty()) {
        const std::string_view path =
            std::string_view(url->target).substr(0, url->target.find('?'));
        name = path.substr(path.rfind('/') + 1);
    }
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        in.report().error(line, owner +
                                    " has no file name: write one as 'filename', as in "
                                    "'filename: geosite.dat'");
        return;
    }
    const std::string folder = in.resolve(item.dir, line);
    out.items.push_back({url->text(), (std::filesystem::path(folder) / name).string(), line});
}

void read_items(Reading& in, const Node& node, const Place& place, Download& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() +
                              ": expected a list with at least one '- {url: ..., dir: "
                              "...}', found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    std::size_t number = 0;
    for (const Node& node_of_item : node.items) {
        const std::string owner =
            "download " + std::to_string(++number) + " of " + std::string(place.owner);
        Item item;
        const std::size_t errors = in.report().error_count();
        if (read_rows(in, node_of_item, kItemRows, owner, item) &&
            in.report().error_count() == errors)
            add(in, item, owner, node_of_item.line, out);
    }
}

constexpr std::array<Row<Download>, 3> kDownloadRows{{
    {"downloads", Own<Download>{"list of downloads", read_items}, "required", "",
     "files to fetch, one after the other"},
    {"timeout", &Download::timeout, "1m", "1s..1h", "time limit for one file"},
    {"startup_if_missing", &Download::startup_if_missing, "true", "",
     "fetch missing files before the start continues\nThis also applies to a reload that adds a "
     "file."},
}};

void finish_download(Reading& in, Download args, Plugin& plugin) {
    for (const DownloadItem& item : args.items) {
        std::error_code error;
        if (args.startup_if_missing && !std::filesystem::exists(item.file, error))
            in.report().warn(item.line, "the file " + matchers::quoted_path(item.file) + " of " +
                                            owner_of(plugin) +
                                            " does not exist yet: the start fetches it");
    }
    plugin.args = std::move(args);
}

void read_download(Reading& in, const Node* node, Plugin& plugin) {
    Download args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kDownloadRows, owner_of(plugin), args);
    finish_download(in, std::move(args), plugin);
}

void read_download_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const auto parts = split_words(words);
    Download args;
    if (parts.size() != 2) {
        in.report().error(line, owner_of(plugin) +
                                    ": expected a URL and a folder, as in 'download "
                                    "https://lists.example/rules.txt /etc/steerdns'");
    } else {
        add(in, {std::string(parts[0]), std::string(parts[1]), {}}, owner_of(plugin), line, args);
    }
    finish_download(in, std::move(args), plugin);
}

}  // namespace

const PluginType kDownloadType{
    "download",
    Role::executor,
    "Fetches files over HTTP and HTTPS. A file is replaced only after a complete download. A "
    "failed download is a warning.\n\nRun it from a `cron`, or in a sequence. In a sequence it "
    "runs in the background: the query continues at once with the present files.",
    "download URL FOLDER",
    "",
    [] { return row_texts(kDownloadRows); },
    read_download,
    read_download_quick,
    {.reference = [](std::ostream& out) { write_part(out, "downloads[]", row_texts(kItemRows)); }}};

}  // namespace steer::config
