// `quic:`: what all servers over QUIC share.
#include <array>

#include "control/config/sections/secret_lines.h"
#include "control/config/sections/section_rows.h"

namespace steer::config {
namespace {

void read_secret_file(Reading& in, const Node& node, const Place& place, QuicSettings& out) {
    const auto secrets = read_secrets<QuicSecretBytes{}.size()>(
        in, node, place, "the secret of QUIC", 1, "expected one secret", out.secret_file);
    if (!secrets.empty()) out.secret = secrets.front();
}

constexpr std::array<Row<QuicSettings>, 1> kQuicRows{{
    {"secret_file", Files<QuicSettings>{"path", read_secret_file}, "none", "",
     "file with a secret that boxes with the same address share\nOne line of 64 hexadecimal "
     "digits, "
     "as printed by `openssl rand -hex 32`. The keys of session tickets, Retry tokens and "
     "stateless "
     "resets are made from it. A client whose packets reach another box then connects again at "
     "once, and resumes its session. Without it, the daemon makes a secret at each start. A change "
     "needs a restart."},
}};

}  // namespace

void read_quic(Reading& in, const Node& node, int line) {
    in.settings().quic.line = line;
    read_rows(in, node, kQuicRows, "'quic'", in.settings().quic);
}

std::vector<RowText> quic_row_texts() {
    return row_texts(kQuicRows);
}

}  // namespace steer::config
