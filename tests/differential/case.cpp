#include "differential/case.h"

#include <sstream>

namespace steer::differential {

std::string Config::yaml() const {
    std::ostringstream out;
    out << "policy: { resolve_special: all }\nplugins:\n";
    for (const std::string& plugin : plugins)
        out << "  - " << plugin << "\n";
    for (const Sequence& s : sequences) {
        out << "  - tag: " << s.tag << "\n    type: sequence\n    args:\n";
        for (const std::string& rule : s.rules)
            out << "      - " << rule << "\n";
    }
    out << "  - { tag: server, type: udp_server, args: { entry: " << sequences.front().tag
        << ", listen: ':53' } }\n";
    if (second_server) {
        out << "  - { tag: second, type: udp_server, args: { entry: " << sequences[1].tag
            << ", listen: '" << kSecondAddress << ":53' } }\n";
    }
    return out.str();
}

std::string text(const Question& q) {
    std::ostringstream out;
    out << "after " << q.after_ms << " ms: " << q.client << " asks " << q.local
        << (q.server_name.empty() ? "" : " as " + q.server_name) << q.url_path << " for " << q.name
        << " type " << q.type << " class " << q.klass << (q.dnssec_ok ? " DO" : "")
        << (q.checking_disabled ? " CD" : "");
    return out.str();
}

std::string text(const Outcome& o) {
    std::ostringstream out;
    out << "rcode " << o.rcode << (o.nobody_answered ? ", nobody answered" : "")
        << (o.dropped ? ", dropped" : "") << "; asked";
    for (const std::string& a : o.asked)
        out << ' ' << a;
    out << "; " << o.decision << (o.block.empty() ? "" : " with EDE " + o.block) << "; lists";
    for (const std::string& l : o.lists)
        out << ' ' << l;
    out << "; notes";
    for (const std::string& n : o.notes)
        out << " [" << n << ']';
    out << "; raised";
    for (const std::string& r : o.raised)
        out << ' ' << r;
    for (const Record& r : o.records)
        out << "\n      " << r.owner << ' ' << r.ttl_s << " type " << r.type << ' ' << r.data;
    return out.str();
}

}  // namespace steer::differential
