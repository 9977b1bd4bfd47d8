// SPDX-License-Identifier: BSD-3-Clause
// postern key generate|show: this user's key for the administration of gateways over the network.
#include <fmt/format.h>

#include <memory>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/remote_link.h"
#include "control/remote/channel/keys.h"

namespace postern::cli {
namespace {

int tell(const std::string& path, const remote::SigningKey& key, const Globals& globals) {
  const std::string text = remote::to_text(key.public_key());
  if (globals.json) {
    print_json({{"file", path}, {"public_key", text}});
  } else {
    fmt::print("{}\n", text);
  }
  return kDone;
}

int generate(const std::string& file, const Globals& globals) {
  const std::string path = file.empty() ? user_file("key") : file;
  if (file.empty()) {
    if (auto made = make_user_directory(); !made) return report(made.error(), globals);
  }
  const remote::SigningKey key = remote::SigningKey::generate();
  if (auto written = remote::write_key_file(path, key); !written) {
    Error error = written.error();
    error.text += "; `postern key show` prints the key that is there, --out makes another one";
    return report(error, globals);
  }
  return tell(path, key, globals);
}

int show_key(const std::string& file, const Globals& globals) {
  const std::string path = file.empty() ? user_file("key") : file;
  auto key = remote::read_key_file(path);
  if (!key) {
    Error error = key.error();
    if (error.code == ErrorCode::not_found) error.text += "; `postern key generate` makes one";
    return report(error, globals);
  }
  return tell(path, *key, globals);
}

}  // namespace

void add_key(Command& root, const Globals& globals) {
  auto file = std::make_shared<std::string>();
  Command key = root.add("key", "this user's key for gateways elsewhere");
  key.add("generate", "make one and print its public half, for an account there")
      .option("--out", *file, "the file of the secret half (~/.config/postern/key)")
      .runs([file, &globals] { return generate(*file, globals); });
  key.add("show", "print the public half")
      .optional_argument("FILE", *file, "the file of the secret half")
      .runs([file, &globals] { return show_key(*file, globals); });
}

}  // namespace postern::cli
