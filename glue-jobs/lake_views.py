"""The texts of sql/<kind>/views; every engine runs these texts."""
import pkgutil

# On Glue the deployment has put them beside the modules; in a checkout they are where they are written.
_PLACES = ('{}.sql', '../sql/flows/views/{}.sql', '../sql/telemetry/views/{}.sql')


def view_sql(name: str) -> str:
    """The select that the view is made of. Raises FileNotFoundError where the deployment has forgotten it."""
    for place in _PLACES:
        try:
            # Read by way of the loader: on Glue the modules are in a zip.
            return pkgutil.get_data(__name__, place.format(name)).decode()
        except OSError:
            continue
    raise FileNotFoundError(f'{name}.sql is not beside the modules of the job: deploy the lake again')
