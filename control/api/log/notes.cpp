#include "control/api/log/notes.h"

#include <algorithm>
#include <span>

#include "control/api/log/mnemonics.h"
#include "control/api/log/response_text.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::ops {
namespace {

std::string qname_text(const Note& note) {
    return dns::name_to_text(std::span(note.qname).first(note.qname_len));
}

// A title comes from the configuration; it must not break its line.
std::string one_line(std::string_view title) {
    std::string out(title);
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return out;
}

std::string summary(const Note& note) {
    return "qname=" + qname_text(note) + " qtype=" + type_name(note.qtype) +
           (note.qclass == 1 ? "" : " qclass=" + class_name(note.qclass)) +
           " client=" + note.client.to_string() +
           " rcode=" + (note.has_response != 0 ? rcode_name(note.rcode) : "-") +
           " ms=" + std::to_string(note.elapsed_ms);
}

std::vector<std::string> dump(const Note& note) {
    std::vector<std::string> lines;
    lines.push_back("request " + qname_text(note) + " " + class_name(note.qclass) + " " +
                    type_name(note.qtype) + " from " + note.client.to_string() + " port " +
                    std::to_string(note.client_port) + ", " + std::to_string(note.elapsed_ms) +
                    " ms ago");
    if (note.has_response == 0) {
        lines.emplace_back("no response yet");
        return lines;
    }
    const auto shown = std::min<std::size_t>(note.response_bytes, note.response.size());
    lines.push_back("response of " + std::to_string(note.response_bytes) + " bytes" +
                    (shown < note.response_bytes ? ", the first " + std::to_string(shown) : ""));
    for (std::string& line : response_lines(std::span(note.response).first(shown))) {
        lines.push_back(std::move(line));
    }
    return lines;
}

std::string_view trigger_name(const Note& note) {
    switch (static_cast<Rpz::Trigger>(note.trigger)) {
        case Rpz::Trigger::client:
            return "client-ip";
        case Rpz::Trigger::name:
            return "name";
        case Rpz::Trigger::below:
            return "wildcard";
        case Rpz::Trigger::address:
            return "ip";
    }
    return "";
}

std::string_view action_name(const Note& note) {
    using Does = PolicyAction::Does;
    switch (static_cast<Does>(note.action)) {
        case Does::deny:
            return note.rcode == dns::kNxDomain ? "nxdomain" : "nodata";
        case Does::passthru:
            return "passthru";
        case Does::drop:
            return "drop";
        case Does::tcp_only:
            return "tcp-only";
        case Does::alias:
            return "cname";
        case Does::records:
            return "local-data";
    }
    return "";
}

}  // namespace

std::string policy_line(const Note& note, const Rpz& rpz) {
    const std::string zone = note.zone < rpz.zones.size() ? rpz.zones[note.zone].name : "-";
    return "rpz '" + rpz.tag + "': zone=" + one_line(zone) +
           " trigger=" + std::string(trigger_name(note)) +
           " action=" + std::string(action_name(note)) + " client=" + note.client.to_string() +
           " qname=" + qname_text(note) + " qtype=" + type_name(note.qtype);
}

std::vector<std::string> note_lines(const Note& note, std::string_view title) {
    std::vector<std::string> lines;
    if (note.kind == NoteKind::summary) {
        lines.push_back(summary(note));
    } else {
        lines = dump(note);
    }
    if (title.empty()) return lines;
    const std::string prefix = one_line(title) + ": ";
    for (std::string& line : lines)
        line.insert(0, prefix);
    return lines;
}

}  // namespace steer::ops
